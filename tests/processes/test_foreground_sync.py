"""`manage.py sync`: in the foreground, without any worker."""

import subprocess

import pytest

from config.demo import connections
from tests.house import House
from tests.sandbox import Sandbox


def test_it_syncs_and_tells_what_it_copied(house: House, world: Sandbox) -> None:
    api = house.organization("Foreground")
    made = connections.connect(api, "Acme", "acme", world.tokens.workspace("acme"))

    said = house.manage("sync", str(made["id"]))

    assert "240 created" in said
    assert "Complete" in said
    assert "requests to Bitbucket" in said
    again = house.manage("sync", str(made["id"]), "--full")
    assert "        0 created" in again


def test_an_unknown_connection_is_named(house: House) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        house.manage("sync", "999999")
