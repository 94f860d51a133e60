"""Two who change the same row at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from connections.models import Connection, Credential
from connections.services.errors import VersionChanged
from connections.services.locks import next_version
from tests.connections.api.conftest import Script

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 3


def at_once(call: Callable[[int], Any]) -> list[Any]:
    """What calls give that begin together, each with a connection of its own."""
    start = Barrier(TOGETHER)

    def begin(number: int) -> Any:
        try:
            start.wait(10)
            return call(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(begin, range(TOGETHER)))


def test_of_changes_to_one_etag_one_wins(script: Script, connection: Connection) -> None:
    etag = f'"{connection.pk}-{connection.version}"'

    def rename(number: int) -> int:
        mine = Script(script.key, Client())
        body = {"id": connection.pk, "name": f"Name {number}"}
        return mine.post("connections.update", body, **{"If-Match": etag}).status

    answers = at_once(rename)

    assert sorted(answers) == [200, 412, 412]
    before = connection.version
    connection.refresh_from_db()
    assert connection.version == before + 1
    assert connection.name == f"Name {answers.index(200)}"


def test_of_changes_to_one_credential_one_wins(script: Script, credential: Credential) -> None:
    address = f"connections/{credential.connection_id}/credentials"
    etag = f'"{credential.pk}-{credential.version}"'

    def end(number: int) -> int:
        mine, verb = Script(script.key, Client()), ("disable", "delete", "disable")[number]
        return mine.post(f"{address}.{verb}", {"id": credential.pk}, **{"If-Match": etag}).status

    answers = at_once(end)

    assert answers.count(200) == 1
    assert set(answers) <= {200, 404, 412}


@pytest.mark.parametrize("name", ["connection", "credential"])
def test_the_version_is_asked_for_in_the_update_itself(request: Any, name: str) -> None:
    """Even where nothing is held: the second of two who read the same version changes nothing."""
    row = request.getfixturevalue(name)
    mine, other = (type(row).objects.get(pk=row.pk) for _ in range(2))

    next_version(mine)

    with pytest.raises(VersionChanged):
        next_version(other)
    row.refresh_from_db()
    assert row.version == mine.version == other.version + 1


def test_of_the_same_call_sent_twice_at_once_one_runs(
    script: Script, connection: Connection
) -> None:
    def link(_: int) -> Any:
        mine = Script(script.key, Client())
        return mine.post("connections.link", {"id": connection.pk}, **{"Idempotency-Key": "one"})

    answers = at_once(link)

    made = {answer.body["link"]["id"] for answer in answers if answer.status == 201}
    assert len(made) == 1
    assert {answer.error for answer in answers if answer.status != 201} <= {
        "idempotency_in_progress"
    }
