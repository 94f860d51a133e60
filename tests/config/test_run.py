"""`manage.py run`: under which address it answers."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from config import processes
from config.environment import DEMO
from config.management.commands import run

PUBLIC = "https://tributary.example.com"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PUBLIC_URL", "ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)


def test_without_settings_the_address_is_this_machine() -> None:
    assert processes.addresses_unless_set(8001) == {
        "PUBLIC_URL": "http://127.0.0.1:8001",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }


def test_an_address_that_is_set_stays_and_brings_its_own_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUBLIC_URL", PUBLIC)

    assert processes.addresses_unless_set(8001) == {}


def test_hosts_that_are_set_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "tributary.internal")

    assert processes.addresses_unless_set(8001) == {"PUBLIC_URL": "http://127.0.0.1:8001"}


def test_another_port_than_asked_for_is_told_with_what_follows() -> None:
    told = " ".join(run._block(8000, 8001))

    assert "Port 8000 was in use" in told
    assert "callback addresses at Bitbucket must begin with http://127.0.0.1:8001" in told


def test_the_port_behind_an_address_that_is_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", PUBLIC)

    told = " ".join(run._block(8000, 8001))

    assert f"Tributary is at {PUBLIC}" in told
    assert "It listens at http://127.0.0.1:8001" in told
    assert "whatever leads people to it" in told


def test_the_folder_of_a_demo_is_refused(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR, settings.EMBEDDED = tmp_path, True
    (tmp_path / DEMO).touch()

    with pytest.raises(CommandError, match="holds a demo"):
        call_command("run")
