"""The settings tab: name, schedule, pause, delete."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from connections.models import Connection, Credential
from tenants.models import Organization
from tests.connections.views.conftest import Visit
from tests.connections.views.test_wizard import text
from tests.factories import ConnectionFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

Url = Callable[..., str]


def test_name_and_schedule_are_kept(
    member: Client, post: Visit, url: Url, connection: Connection, organization: Organization
) -> None:
    where = url("connection_settings", connection.pk)

    answer = post(where, name="Renamed", schedule="cron", cron="30 6 * * 1")
    page = text(member.get(answer["Location"]))

    connection.refresh_from_db()
    assert connection.name == "Renamed"
    assert connection.schedule == {
        "kind": "cron",
        "cron": "30 6 * * 1",
        "timezone": organization.timezone,
    }
    assert page.count("06:30") == 3


@pytest.mark.parametrize(
    ("schedule", "kept"),
    [("off", {"kind": "off"}), ("60", {"kind": "every", "minutes": 60})],
)
def test_presets(
    post: Visit, url: Url, connection: Connection, schedule: str, kept: dict[str, object]
) -> None:
    post(url("connection_settings", connection.pk), name=connection.name, schedule=schedule)

    connection.refresh_from_db()
    assert connection.schedule == kept


@pytest.mark.parametrize(
    ("values", "days", "status"),
    [
        ({"window": "all"}, None, 302),
        ({"window": "90"}, 90, 302),
        ({"window": "date", "since": "{today}"}, 0, 302),
        ({}, 7, 302),
        ({"window": "date"}, 7, 422),
        ({"window": "date", "since": "2999-01-01"}, 7, 422),
        ({"window": "date", "since": "soon"}, 7, 422),
        ({"window": "7"}, 7, 422),
    ],
)
def test_the_history_window_is_kept_beside_the_other_choices(
    post: Visit,
    url: Url,
    connection: Connection,
    values: dict[str, str],
    days: int | None,
    status: int,
) -> None:
    today = now().astimezone(ZoneInfo(connection.organization.timezone)).date()
    before = (today - timedelta(days=7)).isoformat()
    patterns = {"mode": "patterns", "include": ["api*"], "exclude": []}
    connection.selection = {"repositories": patterns, "streams": [], "since": before}
    connection.save()
    given = {name: value.format(today=today) for name, value in values.items()}

    answer = post(
        url("connection_settings", connection.pk), name=connection.name, schedule="off", **given
    )

    connection.refresh_from_db()
    expected = None if days is None else (today - timedelta(days=days)).isoformat()
    assert answer.status_code == status
    assert connection.selection == {"repositories": patterns, "streams": [], "since": expected}


def test_a_new_name_moves_no_sync(post: Visit, url: Url, connection: Connection) -> None:
    where = url("connection_settings", connection.pk)
    post(where, name=connection.name, schedule="60")
    connection.refresh_from_db()
    before = connection.next_sync_at

    post(where, name="Renamed", schedule="60")

    connection.refresh_from_db()
    assert connection.name == "Renamed"
    assert connection.next_sync_at == before


def test_the_next_runs_are_those_that_will_happen(
    member: Client, url: Url, connection: Connection
) -> None:
    planned = (now() + timedelta(minutes=7)).replace(second=0)
    Connection.objects.update(schedule={"kind": "every", "minutes": 60}, next_sync_at=planned)

    page = text(member.get(url("connection_settings", connection.pk)))

    for hours in range(3):
        assert f"{planned + timedelta(hours=hours):%H:%M}" in page


def test_a_connection_in_error_promises_no_run(
    member: Client, url: Url, connection: Connection
) -> None:
    Connection.objects.update(
        schedule={"kind": "every", "minutes": 60}, next_sync_at=now(), status="error"
    )

    page = text(member.get(url("connection_settings", connection.pk)))

    assert "No sync starts by itself until what is wrong is mended." in page
    assert "Next:" not in page


def test_a_paused_connection_has_no_next_sync(
    post: Visit, url: Url, connection: Connection
) -> None:
    post(url("connection_pause", connection.pk))

    post(url("connection_settings", connection.pk), name=connection.name, schedule="60")

    connection.refresh_from_db()
    assert connection.schedule == {"kind": "every", "minutes": 60}
    assert connection.next_sync_at is None


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "n" * 101},
        {"name": "a\x00b"},
        {"schedule": "sometimes"},
        {"schedule": "cron"},
        {"schedule": "cron", "cron": "every day"},
        {"schedule": "cron", "cron": "0 0 31 2 *"},
        {"schedule": "cron", "cron": "* " * 100},
    ],
)
def test_what_does_not_fit_is_named(
    post: Visit, url: Url, connection: Connection, given: dict[str, str]
) -> None:
    values = {"name": connection.name, "schedule": "off", **given}

    answer = post(url("connection_settings", connection.pk), **values)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    before = connection.name, connection.schedule
    connection.refresh_from_db()
    assert (connection.name, connection.schedule) == before


def test_a_cron_expression_that_does_not_fit_promises_no_runs(
    member: Client, post: Visit, url: Url, connection: Connection
) -> None:
    where = url("connection_settings", connection.pk)

    refused = text(post(where, name=connection.name, schedule="cron", cron="* * *"))
    odd = text(post(where, name=connection.name, schedule="cron", cron="0 0 * * x"))

    assert "needed for “At set times”" in refused
    assert "By the clock of UTC." in refused
    assert "The day of week does not fit." in odd
    assert "Syncs start only when" not in refused
    assert "Syncs start only when" in text(member.get(where))


def test_a_name_of_another_connection_is_taken(
    post: Visit, url: Url, connection: Connection, organization: Organization
) -> None:
    ConnectionFactory.create(organization=organization, name="Taken")

    answer = post(url("connection_settings", connection.pk), name="Taken", schedule="off")

    assert answer.status_code == 422
    assert "already called" in text(answer)


def test_pausing_can_be_undone(
    member: Client, post: Visit, url: Url, connection: Connection
) -> None:
    answer = post(url("connection_pause", connection.pk))
    page = member.get(answer["Location"]).content.decode()
    connection.refresh_from_db()
    paused = connection.status
    head = member.get(
        reverse("ingestion:connection", args=[connection.organization.slug, connection.pk])
    ).content.decode()
    resumed = post(url("connection_resume", connection.pk))
    connection.refresh_from_db()

    assert f'action="{url("connection_resume", connection.pk)}"' in page
    assert f'action="{url("connection_resume", connection.pk)}"' in head
    assert "goes on" in text(member.get(resumed["Location"]))
    assert (paused, connection.status) == ("disabled", "available")


def test_deleting_needs_the_name(
    member: Client, post: Visit, url: Url, connection: Connection
) -> None:
    where = url("connection_delete", connection.pk)

    refused = post(where, confirm="something else")
    standing = Connection.objects.filter(deleted_at=None).count()
    deleted = post(where, confirm=connection.name)

    assert refused.status_code == 422
    assert standing == 1
    assert deleted.status_code == 302
    assert Credential.objects.get().secrets is None
    assert member.get(url("connection_settings", connection.pk)).status_code == 404


def test_deleting_promises_no_more_than_it_does(
    member: Client, url: Url, connection: Connection
) -> None:
    page = text(member.get(url("connection_settings", connection.pk)))

    assert "Its syncs stop, and the secret of its credential is erased at once." in page
    assert "for 30 days" in page
    assert "Then all of it is forgotten." in page
    assert "no page shows them any more" not in page


def test_without_a_credential_there_is_no_secret_to_erase(
    member: Client, url: Url, organization: Organization
) -> None:
    pending = ConnectionFactory.create(organization=organization, status="pending")

    page = text(member.get(url("connection_settings", pending.pk)))

    assert "Its syncs stop. Its records" in page


def test_another_organizations_connection_is_not_there(member: Client, url: Url) -> None:
    other = ConnectionFactory.create(organization=OrganizationFactory.create())

    answers = [
        member.get(url(name, other.pk))
        for name in ("connection_settings", "credentials", "connection_finish")
    ]

    assert {answer.status_code for answer in answers} == {404}


def test_a_stream_that_is_added_is_proved_and_read(
    post: Visit, url: Url, connection: Connection
) -> None:
    connection.selection = {**connection.selection, "streams": ["repositories", "pull_requests"]}
    connection.next_verification_at = now() + timedelta(hours=20)
    connection.save()

    post(
        url("connection_settings", connection.pk),
        name=connection.name,
        schedule="off",
        streams=["repositories", "pull_requests", "pipeline_steps"],
    )

    connection.refresh_from_db()
    assert connection.selection["streams"] == [
        "repositories",
        "pull_requests",
        "pipelines",
        "pipeline_steps",
    ]
    assert connection.next_verification_at <= now()


def test_a_stream_that_is_left_out_asks_for_no_proof(
    post: Visit, url: Url, connection: Connection
) -> None:
    tomorrow = now() + timedelta(hours=20)
    Connection.objects.update(next_verification_at=tomorrow)

    post(
        url("connection_settings", connection.pk),
        name=connection.name,
        schedule="off",
        streams=["repositories", "people"],
    )

    connection.refresh_from_db()
    assert connection.selection["streams"] == ["repositories", "people"]
    assert connection.next_verification_at == tomorrow


def test_streams_that_the_connection_beneath_syncs_stay_chosen(
    member: Client, post: Visit, url: Url, connection: Connection
) -> None:
    child = ConnectionFactory(
        organization=connection.organization,
        connector="bitbucket_pipelines",
        name="Builds",
        parent=connection,
    )
    handed = ["pipelines", "pipeline_steps", "deployments"]
    Connection.objects.filter(pk=connection.pk).update(handed_over=handed)
    where = url("connection_settings", connection.pk)

    page = text(member.get(where))
    answer = post(where, name=connection.name, schedule="off", streams=["repositories", "people"])
    refused = post(where, name=connection.name, schedule="off", streams=["pipelines"])

    connection.refresh_from_db()
    assert f"{child.name} syncs it." in page
    assert (answer.status_code, refused.status_code) == (302, 422)
    assert connection.selection["streams"] == ["repositories", "people", "pipelines"]
