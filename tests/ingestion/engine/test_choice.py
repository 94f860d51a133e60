"""A sync copies what was chosen, and says so where that is nothing."""

from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction

from connections.services.connections import update_connection
from ingestion.models import Coverage, PullRequest, Repository, State
from tenants.actor import Actor
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.test_interruptions import working_on
from tests.ingestion.services.test_locks import wait_until_blocked
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=3, pull_requests=2, pipelines=0, people=4)


def choose(copied: Copied, **repositories: Any) -> None:
    selection = {"repositories": repositories}
    update_connection(connection=copied.connection, selection=selection, by=Actor.system())


def selected() -> set[str]:
    return set(Repository.objects.filter(is_selected=True).values_list("slug", flat=True))


@pytest.mark.parametrize(
    ("patterns", "slugs"),
    [
        ({"include": ["a*"]}, {"api"}),
        ({"exclude": ["a*"]}, {"web", "billing"}),
        ({"include": ["acme/*"], "exclude": ["web"]}, {"api", "billing"}),
    ],
)
def test_the_listing_takes_in_what_fits_the_patterns(
    copied: Copied, patterns: dict[str, list[str]], slugs: set[str]
) -> None:
    choose(copied, mode="patterns", **patterns)

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    assert selected() == slugs
    copies = PullRequest.objects.values_list("repository__slug", flat=True)
    assert set(copies) == slugs


def test_the_listing_changes_nothing_of_what_a_change_had_selected(copied: Copied) -> None:
    copied.sync(streams=["repositories"])
    choose(copied, mode="patterns", include=["*b*"])
    before = selected()

    copied.sync(streams=["repositories"])

    assert selected() == before == {"web", "billing"}


@pytest.mark.parametrize(
    ("repositories", "told"),
    [
        ({"mode": "patterns", "include": ["wbe*"]}, "lists (3) fits the patterns chosen"),
        ({"mode": "patterns", "exclude": ["*"]}, "lists (3) fits the patterns chosen"),
        ({"mode": "chosen", "ids": ["{unknown}"]}, "lists (3) is among those chosen"),
    ],
)
def test_a_sync_says_so_where_nothing_is_chosen(
    copied: Copied, repositories: dict[str, Any], told: str
) -> None:
    choose(copied, **repositories)

    sync = copied.sync()

    assert sync.state == State.PARTIAL
    assert sync.error
    assert sync.error["code"] == "nothing_chosen"
    assert told in sync.error["message"]
    assert Coverage.objects.get(stream="repositories").gap == sync.error


def test_the_gap_closes_once_something_is_chosen(copied: Copied) -> None:
    choose(copied, mode="patterns", include=["wbe*"])
    copied.sync()
    choose(copied, mode="patterns", include=["web*"])

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    assert Coverage.objects.get(stream="repositories").gap is None


def test_a_sync_says_so_when_the_only_one_chosen_is_gone(copied: Copied, sandbox: Sandbox) -> None:
    choose(copied, mode="patterns", include=["web"])
    copied.sync()
    sandbox.change.delete_repository("acme", "web")

    sync = copied.sync()

    assert Repository.objects.get(slug="web").removed_at
    assert sync.state == State.PARTIAL
    assert sync.error
    assert sync.error["code"] == "nothing_chosen"


@pytest.mark.skipif(database.vendor != "postgresql", reason="needs locks on rows")
def test_a_listing_waits_for_a_change_of_the_selection(copied: Copied) -> None:
    copied.sync(streams=["repositories"])
    sync = copied.start(streams=["repositories"])

    with ExitStack() as worker, transaction.atomic():
        choose(copied, mode="chosen", ids=[])
        worker.enter_context(working_on(sync))
        wait_until_blocked(1)

    assert selected() == set()
