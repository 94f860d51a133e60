"""What holds of every write: dry runs store nothing, and an old etag changes nothing."""

from typing import Any

import pytest

from connections.models import Connection, Credential
from ingestion.models import Repository
from tenants.models import AuditEvent, Organization
from tests.connections.api.conftest import Script, new_connection
from tests.factories import RepositoryFactory
from tests.sandbox import Sandbox
from tests.worlds import snapshot_of

pytestmark = pytest.mark.django_db
USES = {"credentials.used", "secrets.tried"}


def rows_of(organization: Organization | int) -> dict[str, Any]:
    """All rows but for uses of keys and secrets, which are noted all the same."""
    rows = snapshot_of(organization, but={"last_used_at"})
    events = [one for one in rows["AuditEvent"] if one["event_type"] not in USES]
    return {**rows, "AuditEvent": events}


@pytest.fixture
def methods(connection: Connection, credential: Credential) -> dict[str, tuple[str, Any]]:
    """Writes on a connection and on a credential, with bodies that fit."""
    credentials = f"connections/{connection.pk}/credentials"
    of_one, of_other = {"id": connection.pk}, {"id": credential.pk}
    return {
        "connections.update": ("connections.update", {**of_one, "name": "Renamed"}),
        "connections.disable": ("connections.disable", of_one),
        "connections.enable": ("connections.enable", of_one),
        "connections.delete": ("connections.delete", of_one),
        "credentials.update": (f"{credentials}.update", {**of_other, "label": "Renamed"}),
        "credentials.disable": (f"{credentials}.disable", of_other),
        "credentials.enable": (f"{credentials}.enable", of_other),
        "credentials.delete": (f"{credentials}.delete", of_other),
    }


def test_a_dry_run_of_a_creation_is_verified_and_stores_nothing(
    script: Script, token: str, organization: Organization
) -> None:
    before = rows_of(organization)

    answer = script.post("connections.create?dry_run=1", new_connection(token))

    assert (answer.status, answer.body["dry_run"]) == (200, True), answer.body
    assert answer.body["verification"]["outcome"] == "ok"
    assert set(answer.body) == {"ok", "dry_run", "verification"}
    assert rows_of(organization) == before


def test_a_dry_run_fails_as_the_creation_would(script: Script, sandbox: Sandbox) -> None:
    answer = script.post("connections.create?dry_run=1", new_connection("ATCTT-unknown"))

    assert answer.error == "invalid_credentials"


def test_a_dry_run_of_a_connection_without_credential(script: Script) -> None:
    body = {"type": "bitbucket_cloud", "name": "Later", "settings": {"workspace": "acme"}}

    assert script.post("connections.create?dry_run=1", body).body == {"ok": True, "dry_run": True}
    assert not Connection.objects.exists()


def test_a_dry_run_of_an_update_shows_what_would_be(script: Script, connection: Connection) -> None:
    repository: Repository = RepositoryFactory.create(connection=connection)
    before = rows_of(connection.organization)
    nothing = {"repositories": {"mode": "chosen", "ids": []}}
    read = script.get(f"connections.info/{connection.pk}").body["connection"]

    answer = script.post(
        "connections.update?dry_run=true",
        {"id": connection.pk, "name": "Renamed", "selection": nothing},
    )

    assert answer.body["connection"]["name"] == "Renamed"
    assert answer.body["connection"]["etag"] == read["etag"]
    assert answer.body["dry_run"] is True
    assert rows_of(connection.organization) == before
    repository.refresh_from_db()
    assert repository.is_selected


@pytest.mark.parametrize(
    ("verb", "body"),
    [("create", {}), ("update", {"label": "Renamed"}), ("update", {"settings": {}})],
)
def test_a_dry_run_of_a_credential(
    script: Script, credential: Credential, token: str, verb: str, body: dict[str, Any]
) -> None:
    own = {"id": credential.pk} if verb == "update" else {}
    before = rows_of(credential.connection.organization)

    answer = script.post(
        f"connections/{credential.connection_id}/credentials.{verb}?dry_run=1",
        {**own, **body, "secrets": {"api_token": token}},
    )

    compared = {"comparison"} if verb == "update" else set()
    assert answer.status == 200
    assert set(answer.body) == {"ok", "dry_run", "verification", *compared}
    assert rows_of(credential.connection.organization) == before


def test_a_dry_run_is_one_or_none(script: Script, connection: Connection) -> None:
    body = {"id": connection.pk, "name": "Renamed"}

    perhaps = script.post("connections.update?dry_run=perhaps", body)
    unknown = script.post("connections.delete?dry_run=1", {"id": connection.pk})

    assert perhaps.body["fields"] == {"dry_run": "1 or 0."}
    assert set(unknown.body["fields"]) == {"dry_run"}
    assert script.post("connections.update?dry_run=0", body).status == 200


@pytest.mark.parametrize("name", ["connections", "credentials"])
@pytest.mark.parametrize("verb", ["update", "disable", "enable", "delete"])
def test_an_old_etag_changes_nothing(
    script: Script, methods: dict[str, tuple[str, Any]], name: str, verb: str, credential: Any
) -> None:
    address, body = methods[f"{name}.{verb}"]
    row = credential.connection if name == "connections" else credential
    type(row).objects.update(version=7)
    before = rows_of(credential.organization_id)

    for old in (f'"{row.pk}-6"', f'W/"{row.pk}-7"', '"other", "1-1"'):
        answer = script.post(address, body, **{"If-Match": old})
        assert (answer.status, answer.error) == (412, "precondition_failed")

    assert rows_of(credential.organization_id) == before
    now = {"If-Match": f'"other", "{row.pk}-7"'}
    assert script.post(address, body, **now).status == 200


def test_what_the_system_does_leaves_the_etag(
    script: Script, connection: Connection, sandbox: Sandbox
) -> None:
    before = script.get(f"connections.info/{connection.pk}").body
    sandbox.faults.add(".*", status=401)

    script.post("connections.verify", {"id": connection.pk})

    after = script.get(f"connections.info/{connection.pk}").body
    assert after["connection"]["state"] == "error"
    assert after["connection"]["etag"] == before["connection"]["etag"]
    assert after["credentials"][0]["etag"] == before["credentials"][0]["etag"]
    assert not AuditEvent.objects.filter(event_type="connections.updated").exists()
