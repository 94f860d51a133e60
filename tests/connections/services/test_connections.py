"""Creating, changing, pausing and deleting connections."""

from typing import Any

import pytest

from connections.connectors.base import UnknownConnector
from connections.connectors.schema import InvalidFields
from connections.models import Connection, Credential
from connections.services.connections import (
    delete_connection,
    disable_connection,
    enable_connection,
    update_connection,
)
from connections.services.creating import create_connection
from connections.services.entering import NewCredential
from connections.services.errors import (
    AlreadyConnected,
    ConnectionInUse,
    NameTaken,
    VerificationFailed,
    VersionChanged,
)
from connections.signals import connection_stopped, selection_changed
from tenants.actor import Actor
from tenants.models import AuditEvent, Organization
from tests.factories import ConnectionFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


def create(organization: Organization, by: Actor, **given: Any) -> Any:
    given = {
        "connector": "bitbucket_cloud",
        "name": "Engineering",
        "settings": {"workspace": "acme"},
        **given,
    }
    return create_connection(organization=organization, by=by, **given)


def test_without_a_credential_it_is_pending(entered: Organization) -> None:
    terraform = Actor(type="api_key", id=1, name="terraform")

    made = create(entered, terraform).connection

    assert made.status == Connection.Status.PENDING
    assert made.identity == ""
    assert made.created_by_name == "API key terraform"
    assert made.next_sync_at is None


def test_with_a_credential_it_is_verified_first(
    connection: Connection, credential: Credential, secret: str, sandbox: Sandbox
) -> None:
    assert connection.status == Connection.Status.AVAILABLE
    assert connection.identity == sandbox.world.workspaces["acme"].uuid
    assert connection.verified_at is not None
    assert credential.secrets == {"api_token": secret}
    assert credential.verifications.get().outcome == "ok"


def test_a_failure_stores_nothing(entered: Organization, actor: Actor, sandbox: Sandbox) -> None:
    scopes = ["account", "repository"]
    given = NewCredential(secrets={"api_token": sandbox.tokens.workspace("acme", scopes)})

    with pytest.raises(VerificationFailed) as caught:
        create(entered, actor, credential=given)

    assert not Connection.objects.exists()
    assert [event.event_type for event in AuditEvent.objects.all()] == ["secrets.tried"]
    assert caught.value.missing_scopes == ("pullrequest", "pipeline")
    available = list(caught.value.streams_available)
    made = create(entered, actor, credential=given, selection={"streams": available}).connection
    assert made.status == Connection.Status.AVAILABLE
    assert made.selection["streams"] == available


def test_a_dry_run_stores_nothing(entered: Organization, actor: Actor, secret: str) -> None:
    given = NewCredential(secrets={"api_token": secret})

    found = create(entered, actor, credential=given, dry_run=True)

    assert found.connection is None
    assert found.finding.is_ok
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"settings": {}}, "settings.workspace"),
        ({"settings": {"workspace": "acme", "colour": "red"}}, "settings.colour"),
        ({"settings": {"workspace": "../user"}}, "settings.workspace"),
        ({"schedule": {"kind": "sometimes"}}, "schedule.kind"),
        ({"schedule": {"kind": "every"}}, "schedule.minutes"),
        ({"schedule": {"kind": "every", "minutes": True}}, "schedule.minutes"),
        ({"schedule": {"kind": "every", "minutes": 10**30}}, "schedule.minutes"),
        ({"schedule": {"kind": "cron", "cron": "every day"}}, "schedule.cron"),
        ({"schedule": {"kind": "cron", "cron": "0 0 30 2 *"}}, "schedule.cron"),
        *(
            ({"schedule": {"kind": "cron", "cron": cron}}, "schedule.cron")
            for cron in ("* * * * *", "0 0 * * * *", "*/4 * * * *", "0,1 6 * * 1", "0,59 5,6 * * *")
        ),
        *(
            ({"schedule": {"kind": "cron", "cron": cron}}, None)
            for cron in ("*/5 * * * *", "0 0 29 2 *")
        ),
        *(
            (
                {"schedule": {"kind": "cron", "cron": "0 6 * * *", "timezone": zone}},
                "schedule.timezone",
            )
            for zone in ("../etc", "localtime", "posix/UTC", "", [], {})
        ),
        ({"schedule": {"kind": "off", "minutes": 5}}, "schedule.minutes"),
        ({"schedule": {"kind": "off", "minutes": None}}, None),
        ({"schedule": {"kind": "off", "colour": None}}, "schedule.colour"),
        ({"schedule": {}}, "schedule.kind"),
        ({"selection": {"streams": ["weather"]}}, "selection.streams"),
        ({"selection": {"streams": "all"}}, "selection.streams"),
        ({"selection": {"since": "yesterday"}}, "selection.since"),
        ({"selection": {"colour": "red"}}, "selection.colour"),
        ({"selection": {"repositories": {"mode": "some"}}}, "selection.repositories.mode"),
        *(
            ({"selection": {"repositories": wrong}}, "selection.repositories.mode")
            for wrong in (0, "", [], False, {})
        ),
        *(({"selection": {"streams": wrong}}, "selection.streams") for wrong in (0, "", {}, False)),
        *(
            (
                {"selection": {"repositories": {"mode": "chosen", "ids": wrong}}},
                "selection.repositories.ids",
            )
            for wrong in (0, "", {}, False)
        ),
        *(
            ({"selection": {"since": wrong}}, "selection.since")
            for wrong in (0, "", "20260101", "2026-W01-1", "２０２６-01-01", "2026-02-30")
        ),
        ({"selection": {"repositories": None, "streams": None, "since": None}}, None),
        (
            {"selection": {"repositories": {"mode": "chosen", "ids": [1]}}},
            "selection.repositories.ids",
        ),
        (
            {"credential": NewCredential(secrets={"password": "x"}, method="api_token")},
            "credential.settings.username",
        ),
    ],
)
def test_bad_input_is_named(
    given: dict[str, Any], field: str | None, entered: Organization, actor: Actor
) -> None:
    if field is None:
        assert create(entered, actor, **given).connection is not None
        return
    with pytest.raises(InvalidFields) as caught:
        create(entered, actor, **given)

    assert field in caught.value.fields
    assert not Connection.objects.exists()


def test_an_unknown_connector(entered: Organization, actor: Actor) -> None:
    with pytest.raises(UnknownConnector):
        create(entered, actor, connector="gitlab")


def test_names_and_workspaces_are_unique_in_the_organization(
    connection: Connection, entered: Organization, actor: Actor, secret: str
) -> None:
    with pytest.raises(NameTaken):
        create(entered, actor)
    with pytest.raises(AlreadyConnected) as caught:
        create(entered, actor, name="B", credential=NewCredential(secrets={"token": secret}))

    assert caught.value.connection == connection


def test_a_change_raises_the_version_and_stands_in_the_audit_trail(
    connection: Connection, actor: Actor
) -> None:
    version = connection.version

    update_connection(
        connection=connection,
        name="  Platform   team ",
        schedule={"kind": "every", "minutes": 30},
        by=actor,
    )

    assert connection.name == "Platform team"
    assert connection.version == version + 1
    assert connection.next_sync_at is not None
    event = AuditEvent.objects.get(event_type="connections.updated")
    assert event.changes["name"] == ["Engineering", "Platform team"]
    with pytest.raises(VersionChanged):
        update_connection(connection=connection, name="X", version=version, by=actor)


def test_no_change_is_none(connection: Connection, actor: Actor) -> None:
    update_connection(connection=connection, name=connection.name, by=actor)

    assert connection.version == 1
    assert not AuditEvent.objects.filter(event_type="connections.updated").exists()


def test_a_change_of_the_selection_is_told_and_no_other(
    connection: Connection, actor: Actor
) -> None:
    told = []

    def note(**values: Any) -> None:
        told.append(values["connection"].selection["since"])

    selection_changed.connect(note)
    update_connection(connection=connection, selection={"since": "2026-01-31"}, by=actor)
    update_connection(connection=connection, selection={"since": "2026-01-31"}, by=actor)
    update_connection(connection=connection, name="Platform team", by=actor)
    selection_changed.disconnect(note)

    assert told == ["2026-01-31"]


def test_pausing_stops_syncs_and_going_on_takes_up_the_schedule(
    connection: Connection, actor: Actor
) -> None:
    update_connection(connection=connection, schedule={"kind": "every", "minutes": 9}, by=actor)
    stopped = []

    def note(**told: Any) -> None:
        stopped.append(told["connection"].pk)

    connection_stopped.connect(note)
    disable_connection(connection=connection, by=actor)
    disable_connection(connection=connection, by=actor)
    connection_stopped.disconnect(note)

    assert stopped == [connection.pk]
    assert connection.status == Connection.Status.DISABLED
    assert connection.next_sync_at is None
    enable_connection(connection=connection, by=actor)
    assert connection.status == Connection.Status.AVAILABLE
    assert connection.next_sync_at is not None


def test_deleting_erases_secrets_and_frees_name_and_workspace(
    connection: Connection, entered: Organization, actor: Actor, secret: str
) -> None:
    delete_connection(connection=connection, by=actor)

    assert connection.deleted_at is not None
    assert Credential.objects.get().secrets is None
    again = create(entered, actor, credential=NewCredential(secrets={"token": secret}))
    assert again.connection.identity == connection.identity
    with pytest.raises(VersionChanged):
        delete_connection(connection=connection, by=actor)


def test_what_others_depend_on_is_not_deleted(connection: Connection, actor: Actor) -> None:
    child = ConnectionFactory.create(organization=connection.organization, parent=connection)

    with pytest.raises(ConnectionInUse) as caught:
        delete_connection(connection=connection, by=actor)

    assert caught.value.dependents == [child]
    connection.refresh_from_db()
    assert connection.deleted_at is None
