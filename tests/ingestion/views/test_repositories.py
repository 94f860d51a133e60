"""The tab of a connection that shows its repositories, and chooses among them."""

from typing import Any

import pytest
from django.test import Client

from connections.models import Connection
from connections.services.connections import update_connection
from ingestion.models import Repository
from tenants import access
from tenants.actor import Actor
from tenants.models import AuditEvent
from tests.factories import (
    CoverageFactory,
    RepositoryFactory,
)
from tests.ingestion.views.conftest import Address, text_of


def test_repositories_are_left_out_and_taken_in(
    member: Client, url: Address, connection: Connection
) -> None:
    one, two, three = (RepositoryFactory.create(connection=connection) for _ in range(3))
    address = url("connection_repositories", connection.pk)

    member.post(address, {"action": "leave_out", "ids": [one.pk, two.pk]})
    member.post(address, {"action": "select", "ids": [two.pk]})

    chosen = Repository.objects.filter(connection=connection, is_selected=True)
    assert set(chosen) == {two, three}
    connection.refresh_from_db()
    assert connection.selection["repositories"] == {"mode": "chosen", "ids": [two.uuid, three.uuid]}
    assert AuditEvent.objects.filter(event_type="connections.updated").count() == 2

    member.post(address, {"action": "all"})
    connection.refresh_from_db()
    assert connection.selection["repositories"] == {"mode": "all"}
    assert set(chosen.all()) == {one, two, three}


@pytest.mark.parametrize("chosen_before", [False, True])
def test_a_choice_of_repositories_can_be_taken_back(
    member: Client, url: Address, connection: Connection, chosen_before: bool
) -> None:
    one, two, _ = (RepositoryFactory.create(connection=connection) for _ in range(3))
    address = url("connection_repositories", connection.pk)
    undo = url("connection_repositories_undo", connection.pk)
    if chosen_before:
        member.post(address, {"action": "leave_out", "ids": [one.pk]})
    before = set(Repository.objects.filter(is_selected=True))

    member.post(address, {"action": "leave_out", "ids": [two.pk]})
    page = text_of(member.get(address))
    taken_back = text_of(member.post(undo, follow=True))

    assert f'action="{undo}"' in page
    assert "as before" in taken_back
    assert set(Repository.objects.filter(is_selected=True)) == before
    connection.refresh_from_db()
    mode = "chosen" if chosen_before else "all"
    assert connection.selection["repositories"]["mode"] == mode
    assert "no choice left" in text_of(member.post(undo, follow=True))


def test_taking_back_a_choice_leaves_what_somebody_else_chose_since(
    member: Client, url: Address, connection: Connection
) -> None:
    one, two = (RepositoryFactory.create(connection=connection) for _ in range(2))
    member.post(
        url("connection_repositories", connection.pk), {"action": "leave_out", "ids": [one.pk]}
    )
    theirs = {"mode": "chosen", "ids": [one.uuid]}
    with access.enter(connection.organization):
        update_connection(
            connection=connection, choices={"repositories": theirs}, by=Actor.system("they")
        )

    page = text_of(member.post(url("connection_repositories_undo", connection.pk), follow=True))

    assert "The choice was changed again since then. Nothing was taken back." in page
    connection.refresh_from_db()
    assert connection.selection["repositories"] == theirs
    assert set(Repository.objects.filter(is_selected=True)) == {one} != {two}


def test_what_fits_a_name_is_shown_before_it_is_chosen(
    member: Client, url: Address, connection: Connection
) -> None:
    for name in ("api-web", "api-old", "docs"):
        RepositoryFactory.create(
            connection=connection, slug=name, name=name, full_name=f"acme/{name}"
        )
    address = url("connection_repositories_by_name", connection.pk)
    typed = {"include": "api-*\n\n", "exclude": " *-old "}

    swapped = text_of(member.post(address, typed, headers={"HX-Request": "true"}))
    page = text_of(member.post(address, {**typed, "action": "preview"}))
    refused = text_of(member.post(address, {"include": "x" * 301, "action": "patterns"}))
    connection.refresh_from_db()
    assert connection.selection["repositories"] == {"mode": "all"}
    chosen = text_of(member.post(address, {**typed, "action": "patterns"}, follow=True))

    assert "1 of 3 fits now." in swapped
    assert "acme/api-web" in swapped
    assert "1 of 3 fits now." in page
    assert "At most 200 patterns" in refused
    assert "1 repository is synced by name, with those to come." in chosen
    assert "Undo" in chosen
    connection.refresh_from_db()
    kept = {"mode": "patterns", "include": ["api-*"], "exclude": ["*-old"]}
    assert connection.selection["repositories"] == kept
    assert [one.slug for one in Repository.objects.filter(is_selected=True)] == ["api-web"]


def test_a_list_that_becomes_too_long_is_said(
    member: Client, url: Address, connection: Connection
) -> None:
    to_come = {"mode": "chosen", "ids": [f"{{{number}}}" for number in range(10_000)]}
    with access.enter(connection.organization):
        update_connection(
            connection=connection, choices={"repositories": to_come}, by=Actor.system()
        )
    one = RepositoryFactory.create(connection=connection)

    answer = member.post(
        url("connection_repositories", connection.pk),
        {"action": "select", "ids": [one.pk]},
        follow=True,
    )

    assert "At most 10,000 can be named one by one. Choose by name instead." in text_of(answer)
    connection.refresh_from_db()
    assert connection.selection["repositories"] == to_come


def test_leaving_one_out_of_what_the_api_chose_adds_no_other(
    member: Client, url: Address, connection: Connection
) -> None:
    one, two, _ = (RepositoryFactory.create(connection=connection) for _ in range(3))
    chosen = {"mode": "chosen", "ids": [one.uuid, two.uuid]}
    with access.enter(connection.organization):
        selection = {"repositories": chosen}
        update_connection(connection=connection, selection=selection, by=Actor.system())

    member.post(
        url("connection_repositories", connection.pk), {"action": "leave_out", "ids": [two.pk]}
    )

    assert list(Repository.objects.filter(is_selected=True)) == [one]
    connection.refresh_from_db()
    assert connection.selection["repositories"] == {"mode": "chosen", "ids": [one.uuid]}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"action": "select"},
        {"action": "erase", "ids": ["1"]},
        {"action": "select", "ids": ["x"]},
        {"action": "select", "ids": ["9" * 30]},
        {"action": "select", "ids": ["\x00"]},
        {"action": "select", "ids": ["٣"]},
    ],
)
def test_a_choice_that_makes_no_sense_changes_nothing(
    member: Client, url: Address, connection: Connection, values: dict[str, Any]
) -> None:
    RepositoryFactory.create(connection=connection)

    response = member.post(url("connection_repositories", connection.pk), values, follow=True)

    assert response.status_code == 200
    assert "notice-bad" in text_of(response)
    connection.refresh_from_db()
    assert connection.selection["repositories"] == {"mode": "all"}


def test_repositories_of_others_are_passed_by(
    member: Client, url: Address, connection: Connection, foreign: Connection
) -> None:
    theirs = RepositoryFactory.create(connection=foreign)

    member.post(
        url("connection_repositories", connection.pk), {"action": "leave_out", "ids": [theirs.pk]}
    )

    theirs.refresh_from_db()
    assert theirs.is_selected


@pytest.mark.parametrize("many", [3, 60])
def test_the_repositories_tab_takes_as_many_statements_for_many(
    member: Client,
    url: Address,
    connection: Connection,
    many: int,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(many):
        CoverageFactory.create(repository=RepositoryFactory.create(connection=connection))

    with django_assert_max_num_queries(15):
        member.get(url("connection_repositories", connection.pk))


def test_repositories_are_searched(member: Client, url: Address, connection: Connection) -> None:
    RepositoryFactory.create(connection=connection, name="payments-api")
    broken = RepositoryFactory.create(connection=connection, name="vault")
    CoverageFactory.create(repository=broken, gap={"code": "x", "message": "Bitbucket said 500."})
    address = url("connection_repositories", connection.pk)

    assert "acme/vault" not in text_of(member.get(address, {"q": "payments"}))
    page = text_of(member.get(address, {"state": "failed"}))
    assert "payments-api" not in page
    assert "Bitbucket said 500." in page
