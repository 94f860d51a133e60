"""The audit trail stands: nobody changes it, the retention sweep alone shortens it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from tenants import tasks, wall
from tenants.actor import Actor
from tenants.models import AuditEvent, AuditTrailStands, Organization, User
from tenants.roles import Role
from tenants.services import audit
from tests.tenants.conftest import MakeKey

pytestmark = pytest.mark.django_db
LIST = "/api/auditLogs.list"


def note(organization: Organization, event_type: str = "a.b", **values: Any) -> AuditEvent:
    given = {"by": Actor.system(), "target": {"type": "a", "name": "Thing"}, **values}
    return audit.record(organization=organization, event_type=event_type, **given)


@pytest.fixture
def event(organization: Organization) -> AuditEvent:
    return note(organization)


def _sql(statement: str) -> Callable[[AuditEvent], object]:
    def run(event: AuditEvent) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def _bulk(event: AuditEvent) -> None:
    event.event_type = "c.d"
    AuditEvent.objects.bulk_update([event], ["event_type"])


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda event: AuditEvent.objects.update(event_type="c.d"),
        lambda event: AuditEvent.objects.filter(pk=event.pk).delete(),
        _bulk,
    ],
    ids=["save", "delete", "update", "delete of many", "bulk_update"],
)
def test_the_application_cannot_change_it(
    event: AuditEvent, change: Callable[[AuditEvent], object]
) -> None:
    with pytest.raises(AuditTrailStands), transaction.atomic():
        change(event)

    assert AuditEvent.objects.get().event_type == "a.b"


@pytest.mark.parametrize(
    "change",
    [
        _sql("UPDATE tenants_auditevent SET event_type = 'c.d'"),
        _sql("DELETE FROM tenants_auditevent"),
        lambda event: AuditEvent.objects.all().erase(),
        lambda event: event.organization.delete(),
    ],
    ids=["UPDATE", "DELETE", "erase", "organization"],
)
def test_the_database_refuses(event: AuditEvent, change: Callable[[AuditEvent], object]) -> None:
    with pytest.raises(IntegrityError, match="neither changed nor deleted"), transaction.atomic():
        change(event)

    assert AuditEvent.objects.get().event_type == "a.b"


def test_what_is_too_old_is_erased(event: AuditEvent, settings: Settings) -> None:
    settings.AUDIT_KEPT_DAYS = 30
    for days in (29, 31, 800):
        _note_long_ago(event, days=days)

    tasks.erase_old_events()

    assert [(now() - each.time).days for each in AuditEvent.objects.all()] == [0, 29]
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.all().erase()  # the wall is closed again


def test_an_open_wall_lets_go_but_not_change(event: AuditEvent) -> None:
    with pytest.raises(IntegrityError), wall.opened():
        _sql("UPDATE tenants_auditevent SET event_type = 'c.d'")(event)
    with wall.opened():
        event.organization.delete()

    assert not AuditEvent.objects.exists()


def _note_long_ago(event: AuditEvent, *, days: int) -> None:
    """A copy of the event that was noted so many days ago; the model knows only now."""
    columns = [field.column for field in AuditEvent._meta.concrete_fields if field.name != "id"]
    copied = ", ".join("%s" if column == "time" else f'"{column}"' for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO tenants_auditevent ({names}) SELECT {copied} FROM tenants_auditevent "
            "WHERE id = %s",
            [now() - timedelta(days=days), event.pk],
        )


def test_the_api_tells_newest_first(api: Client, organization: Organization, owner: User) -> None:
    by = Actor(type="user", id=owner.pk, name="Ada", ip_address="192.0.2.7", request_id="r-1")
    note(organization, "credentials.updated", by=by, changes={"secrets": "changed"})
    note(organization, "connections.created")

    newest, oldest = api.get(LIST).json()["audit_logs"]

    assert newest["event_type"] == "connections.created"
    assert newest["actor"] == {"type": "system", "id": None, "name": "Tributary", "email": None}
    assert oldest["actor"] == {"type": "user", "id": owner.pk, "name": "Ada", "email": None}
    assert (oldest["ip_address"], oldest["request_id"]) == ("192.0.2.7", "r-1")
    assert oldest["changes"] == {"secrets": "changed"}
    assert oldest["target"] == {"type": "a", "name": "Thing"}


def test_the_api_pages_and_filters(api: Client, organization: Organization) -> None:
    for event_type in ("a.a", "a.b", "a.a", "a.b", "a.a"):
        note(organization, event_type)
    first = api.get(LIST, {"limit": "2", "event_type": "a.a"}).json()
    note(organization, "a.a")  # newer than all that was asked for
    cursor = first["response_metadata"]["next_cursor"]

    second = api.get(LIST, {"limit": "2", "event_type": "a.a", "cursor": cursor}).json()
    since = api.get(LIST, {"since": first["audit_logs"][1]["time"]}).json()

    assert [len(page["audit_logs"]) for page in (first, second)] == [2, 1]
    assert second["response_metadata"]["next_cursor"] is None
    assert all(row["time"] >= first["audit_logs"][1]["time"] for row in since["audit_logs"])
    assert {row["event_type"] for row in since["audit_logs"]} <= {"a.a", "a.b"}
    assert api.get(LIST, {"since": "tomorrow"}).status_code == 422
    assert api.get(LIST, {"who": "Ada"}).status_code == 422


def test_viewers_may_not(client: Client, make_key: MakeKey) -> None:
    key = make_key(role=Role.VIEWER)

    answer = client.get(LIST, headers={"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")


def test_the_page_filters_by_target_and_days(member: Client, organization: Organization) -> None:
    token = {"type": "credential", "name": "CI token", "connection": {"id": 1, "name": "Main"}}
    note(organization, "credentials.updated", target=token, changes={"secrets": "changed"})
    note(organization, "connections.deleted", target={"name": "Elsewhere"})
    page = f"/o/{organization.slug}/audit-log/"
    today = now().date()

    by_name, by_connection, before, shown = (
        member.get(page, query).content.decode()
        for query in (
            {"target": "ci tok"},
            {"target": "main"},
            {"until": str(today - timedelta(days=2))},
            {"since": str(today - timedelta(days=1)), "until": str(today + timedelta(days=1))},
        )
    )

    sentence = "rotated the credential <em>CI token</em> of <em>Main</em>"
    assert sentence in by_name
    assert "Elsewhere" not in by_name.split("<tbody>")[1]
    assert sentence in by_connection
    assert "Nothing of this kind" in before
    assert sentence in shown
    assert "Elsewhere" in shown
    assert "kept for 2 years" in shown
