"""The list of connections and the page of one."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from connections.models import Connection, Tag
from ingestion.models import Quota, QuotaBucket, State
from tenants.models import Organization
from tests.factories import (
    ConnectionFactory,
    CoverageFactory,
    CredentialFactory,
    RepositoryFactory,
    SyncFactory,
)
from tests.ingestion.views.conftest import Address, text_of


@pytest.fixture
def several(organization: Organization) -> dict[str, Connection]:
    """Three connections that differ in everything that can be chosen by."""
    make = ConnectionFactory.create
    found = {
        "Alpha": make(organization=organization, name="Alpha", settings={"workspace": "zebra"}),
        "Beta": make(
            organization=organization,
            name="Beta",
            status=Connection.Status.DISABLED,
            next_sync_at=now() + timedelta(hours=2),
        ),
        "Gamma": make(organization=organization, name="Gamma", next_sync_at=now()),
    }
    for connection, hours in zip(found.values(), (3, 9, 1), strict=True):
        repository = RepositoryFactory.create(connection=connection)
        CoverageFactory.create(repository=repository, complete_as_of=now() - timedelta(hours=hours))
    SyncFactory.create(connection=found["Gamma"], state=State.RUNNING, finished_at=None)
    return found


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"Alpha", "Beta", "Gamma"}),
        ({"q": "alp"}, {"Alpha"}),
        ({"q": "ZEBRA"}, {"Alpha"}),
        ({"state": "disabled"}, {"Beta"}),
        ({"state": "syncing"}, {"Gamma"}),
        ({"connector": "bitbucket_cloud", "q": "a"}, {"Alpha", "Beta", "Gamma"}),
        ({"q": "nothing"}, set()),
    ],
)
def test_filters_live_in_the_address(
    member: Client,
    url: Address,
    several: dict[str, Connection],
    query: dict[str, str],
    shown: set[str],
) -> None:
    page = text_of(member.get(url("connections"), query))

    assert {name for name in several if f">{name}</a>" in page} == shown


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["Alpha", "Beta", "Gamma"]),
        ("-name", ["Gamma", "Beta", "Alpha"]),
        ("next", ["Gamma", "Beta", "Alpha"]),
        ("complete", ["Beta", "Alpha", "Gamma"]),
        ("nonsense", ["Alpha", "Beta", "Gamma"]),
    ],
)
def test_columns_sort(
    member: Client,
    url: Address,
    several: dict[str, Connection],
    sort: str,
    order: list[str],
) -> None:
    page = text_of(member.get(url("connections"), {"sort": sort}))

    assert sorted(several, key=lambda name: page.index(f">{name}</a>")) == order


def test_those_that_need_somebody_come_first(
    member: Client, url: Address, several: dict[str, Connection], organization: Organization
) -> None:
    ConnectionFactory.create(organization=organization, name="Zeta", status=Connection.Status.ERROR)

    page = text_of(member.get(url("connections")))

    places = {name: page.index(f">{name}</a>") for name in (*several, "Zeta")}
    assert sorted(places, key=lambda name: places[name]) == ["Zeta", "Alpha", "Beta", "Gamma"]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "perhaps"},
        {"connector": "x" * 3000},
        {"q": "\x00"},
        {"q": "a" * 500},
    ],
)
def test_filters_that_make_no_sense_are_named(
    member: Client, url: Address, connection: Connection, query: dict[str, str]
) -> None:
    response = member.get(url("connections"), query)

    assert response.status_code == 400
    assert "errorlist" in text_of(response)


def test_tags_lead_to_the_connections_that_have_them(
    member: Client, url: Address, several: dict[str, Connection]
) -> None:
    shown, hidden = list(several)[:2]
    for name, value in ((shown, "prod & more"), (hidden, "dev")):
        Tag.objects.create(connection=several[name], key="env", value=value)
    for number in range(5):
        Tag.objects.create(connection=several[hidden], key=f"more-{number}")
    everything = member.get(url("connections"), {"sort": "name"})
    links = re.findall(r'class="chip" href="([^"]+)"', text_of(everything))

    page = text_of(member.get(url("connections") + html.unescape(links[0])))
    by_key = text_of(member.get(url("connections"), {"tag": "env", "q": hidden}))

    names = {name for name in several if f">{name}</a>" in page}
    one = shown if "prod" in links[0] else hidden
    assert names == {one}
    assert "sort=name" in links[0]
    assert {name for name in several if f">{name}</a>" in by_key} == {hidden}
    assert "and 2 more" in text_of(everything)


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 40, "\x00"])
def test_pages_that_do_not_exist_lead_to_the_nearest(
    member: Client, url: Address, connection: Connection, page: str
) -> None:
    assert member.get(url("connections"), {"page": page}).status_code == 200


def test_the_first_of_many_takes_ten_statements(
    member: Client, url: Address, organization: Organization, django_assert_max_num_queries: Any
) -> None:
    for number in range(70):
        made = ConnectionFactory.create(organization=organization)
        CredentialFactory.create(connection=made, quota_subject=f"subject-{number}")
        CoverageFactory.create(repository=RepositoryFactory.create(connection=made))
        SyncFactory.create(connection=made, state=State.RUNNING, finished_at=None)
        Tag.objects.create(connection=made, key="env", value="prod")

    with django_assert_max_num_queries(10):
        page = text_of(member.get(url("connections")))

    assert "1–50 of 70" in page


def test_quota_counts_what_was_booked_in_the_window(
    member: Client, url: Address, connection: Connection
) -> None:
    quota = Quota.objects.create(subject="a-subject", limit=1000, learned_limit=5000)
    QuotaBucket.objects.create(quota=quota, starts_at=now(), booked=916)
    QuotaBucket.objects.create(quota=quota, starts_at=now() - timedelta(hours=2), booked=400)

    page = text_of(member.get(url("connections")))

    assert "4,084 of 5,000" in page


def test_two_credentials_of_one_account_share_a_window(
    member: Client, url: Address, connection: Connection
) -> None:
    CredentialFactory.create(connection=connection, quota_subject="a-subject")
    assert "1,000 of 1,000" in text_of(member.get(url("connections")))

    CredentialFactory.create(connection=connection, quota_subject="another")
    assert "2,000 of 2,000" in text_of(member.get(url("connections")))


def test_a_connection_names_what_is_oldest(
    member: Client, url: Address, connection: Connection
) -> None:
    Connection.objects.filter(pk=connection.pk).update(last_synced_at=now())
    for name, hours in (("young", 1), ("old", 3)):
        CoverageFactory.create(
            repository=RepositoryFactory.create(connection=connection, name=name),
            complete_as_of=now() - timedelta(hours=hours),
        )

    page = text_of(member.get(url("connection", connection.pk)))

    assert "oldest: acme/old · Pull requests" in page
    assert "not fresh" in page
    assert "Sync now" in page


@pytest.mark.parametrize(
    ("state", "minutes", "sentence"),
    [
        (State.WAITING, 2, "tried again by itself: <time[^>]*>in 2 min</time>[.]"),
        (State.RUNNING, None, "It is tried again now[.]"),
        (State.FAILED, None, "tried again by itself: <time[^>]*>in 8 h</time>[.]"),
    ],
)
def test_trouble_at_bitbucket_names_the_next_attempt_once(
    member: Client,
    url: Address,
    connection: Connection,
    state: State,
    minutes: int | None,
    sentence: str,
) -> None:
    Connection.objects.filter(pk=connection.pk).update(
        status_message="Bitbucket has trouble of its own (500).",
        failing_since=now() - timedelta(minutes=5),
        next_sync_at=now() + timedelta(hours=8, seconds=30),
    )
    until = now() + timedelta(minutes=minutes, seconds=30) if minutes else None
    SyncFactory.create(connection=connection, state=state, resume_at=until)

    page = text_of(member.get(url("connection", connection.pk)))

    assert "Bitbucket has not answered as it should since <time" in page
    assert re.search(f"own [(]500[)][.] (It is )?{sentence}", page)
    assert page.count("tried again") == 1


@pytest.mark.parametrize(("credential", "is_mended"), [("limited", False), ("active", True)])
def test_a_mended_connection_says_when_what_is_missing_is_read(
    member: Client, url: Address, connection: Connection, credential: str, is_mended: bool
) -> None:
    Connection.objects.update(next_sync_at=now() + timedelta(minutes=40))
    connection.credentials.update(status=credential)
    SyncFactory.create(connection=connection, state=State.PARTIAL)

    page = text_of(member.get(url("connection", connection.pk)))

    said = re.search("not complete yet; the next sync, <time[^>]*>[^<]*</time>, reads what", page)
    assert bool(said) is is_mended


def test_a_stream_with_a_part_that_was_never_complete_is_not_complete(
    member: Client, url: Address, connection: Connection
) -> None:
    for complete_as_of in (now(), None):
        CoverageFactory.create(
            repository=RepositoryFactory.create(connection=connection),
            complete_as_of=complete_as_of,
        )

    page = text_of(member.get(url("connection", connection.pk)))

    assert "◑ 1" in page


def test_a_viewer_may_read_and_not_start(
    viewer: Client, url: Address, connection: Connection
) -> None:
    page = text_of(viewer.get(url("connection", connection.pk)))

    assert "Sync now" not in page
    assert "An admin can verify and sync it" in page
    assert viewer.post(url("sync_start", connection.pk)).status_code == 403


@pytest.mark.parametrize("name", ["connection", "connection_repositories", "connection_syncs"])
def test_a_connection_of_others_is_not_there(
    member: Client, url: Address, foreign: Connection, name: str
) -> None:
    assert member.get(url(name, foreign.pk)).status_code == 404
    assert member.get(url(name, 2**63 - 1)).status_code == 404
