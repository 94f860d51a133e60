"""The selection of a connection, and its rows that say the same, whoever changed it."""

from collections.abc import Iterator
from typing import Any

import pytest

from connections.models import Connection
from connections.services.connections import update_connection
from ingestion.models import Repository
from ingestion.services.repositories import (
    restore_choice,
    select_all,
    select_repositories,
)
from tenants import access
from tenants.actor import Actor
from tests.factories import ConnectionFactory, RepositoryFactory

pytestmark = pytest.mark.django_db
BY = Actor.system()
SLUGS = ("api", "auth", "web")


@pytest.fixture
def connection(db: None) -> Iterator[Connection]:
    """A connection to the workspace acme with three repositories, all synced."""
    made = ConnectionFactory.create(selection={"repositories": {"mode": "all"}})
    for slug in SLUGS:
        RepositoryFactory.create(connection=made, name=slug, uuid=f"{{{slug}}}")
    with access.enter(made.organization):
        yield made


def choose(connection: Connection, **repositories: Any) -> None:
    """Change the selection as the API does."""
    selection = {**connection.selection, "repositories": repositories}
    update_connection(connection=connection, selection=selection, by=BY)


def selected(connection: Connection) -> set[str]:
    rows = Repository.objects.filter(connection=connection, is_selected=True)
    return set(rows.values_list("slug", flat=True))


def key(slug: str) -> int:
    return Repository.objects.get(slug=slug).pk


@pytest.mark.parametrize(
    ("repositories", "slugs"),
    [
        ({"mode": "all"}, {"api", "auth", "web"}),
        ({"mode": "chosen", "ids": ["{web}"]}, {"web"}),
        ({"mode": "chosen", "ids": []}, set()),
        ({"mode": "patterns", "include": ["api", "web"]}, {"api", "web"}),
        ({"mode": "patterns", "exclude": ["web"]}, {"api", "auth"}),
    ],
)
def test_rows_follow_a_change_of_the_selection(
    connection: Connection, repositories: dict[str, Any], slugs: set[str]
) -> None:
    other = RepositoryFactory.create(is_selected=False)
    choose(connection, mode="chosen", ids=["{api}"])

    choose(connection, **repositories)

    assert selected(connection) == slugs
    other.refresh_from_db()
    assert not other.is_selected


def test_only_rows_that_turn_are_written(connection: Connection) -> None:
    before = dict(Repository.objects.values_list("slug", "changed_at"))

    choose(connection, mode="chosen", ids=["{api}", "{auth}"])

    after = dict(Repository.objects.values_list("slug", "changed_at"))
    assert {slug for slug in SLUGS if after[slug] > before[slug]} == {"web"}


def test_a_choice_goes_on_from_what_was_chosen_elsewhere(connection: Connection) -> None:
    choose(connection, mode="chosen", ids=["{api}", "{web}"])

    done = select_repositories(connection=connection, ids=[key("web")], selected=False, by=BY)

    assert done.count == 1
    assert connection.selection["repositories"] == {"mode": "chosen", "ids": ["{api}"]}
    assert selected(connection) == {"api"}


def test_a_choice_keeps_what_others_changed_meanwhile(connection: Connection) -> None:
    seen_before = Connection.objects.get(pk=connection.pk)
    update_connection(
        connection=connection, selection={**connection.selection, "since": "2026-01-31"}, by=BY
    )

    select_repositories(connection=seen_before, ids=[key("web")], selected=False, by=BY)

    assert seen_before.selection["since"] == "2026-01-31"


def test_ids_that_no_row_has_yet_stay_chosen(connection: Connection) -> None:
    choose(connection, mode="chosen", ids=["{to come}", "{api}"])

    select_repositories(connection=connection, ids=[key("web")], selected=True, by=BY)

    assert connection.selection["repositories"]["ids"] == ["{api}", "{web}", "{to come}"]
    assert selected(connection) == {"api", "web"}


@pytest.mark.parametrize(
    "before",
    [
        {"mode": "all"},
        {"mode": "chosen", "ids": ["{web}", "{to come}"]},
        {"mode": "patterns", "include": ["a*"], "exclude": ["auth"]},
    ],
)
def test_a_choice_is_taken_back_exactly(connection: Connection, before: dict[str, Any]) -> None:
    choose(connection, **before)
    stood = selected(connection)

    select_repositories(connection=connection, ids=[key("api")], selected=False, by=BY)
    select_all(connection=connection, by=BY)
    assert selected(connection) == set(SLUGS)
    restore_choice(connection=connection, repositories=before, by=BY)

    assert connection.selection["repositories"] == before
    assert selected(connection) == stood


@pytest.mark.parametrize(
    ("patterns", "slugs"),
    [
        ({"include": ["a*"]}, {"api", "auth"}),
        ({"exclude": ["a*"]}, {"web"}),
        ({"include": ["*"], "exclude": ["a?i", "A*H"]}, {"web"}),
        ({"include": ["API"]}, {"api"}),
        ({"include": ["acme"]}, set()),
        ({"include": ["acme*"]}, set()),
        ({"include": ["acme/a*"]}, {"api", "auth"}),
        ({"include": ["Acme/*"], "exclude": ["*/web"]}, {"api", "auth"}),
        ({"include": ["acme/*/*"]}, set()),
        ({"include": ["other/*"]}, set()),
    ],
)
def test_patterns_fit_slugs_and_with_a_slash_the_workspace_before(
    connection: Connection, patterns: dict[str, list[str]], slugs: set[str]
) -> None:
    choose(connection, mode="patterns", **patterns)

    assert selected(connection) == slugs


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("payments*", True), ("pay", True), ("shop*", False), ("*", True), ("shop / *", False)],
)
def test_patterns_fit_names_and_pass_no_slash(
    connection: Connection, pattern: str, fits: bool
) -> None:
    Repository.objects.filter(slug="api").update(name="Payments", slug="pay", full_name="acme/pay")
    Repository.objects.filter(slug="web").update(name="Shop / Web", slug="storefront")

    choose(connection, mode="patterns", include=[pattern])

    assert bool(selected(connection)) == fits
