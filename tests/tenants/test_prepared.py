"""Statements that are compiled once give what the ORM gives, whatever the values."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from tenants.models import Membership, User
from tenants.prepared import Given, Prepared
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
AFTER = Prepared(
    lambda: Membership.objects.filter(
        organization=Given("organization", Membership, "organization"),
        created_at__gt=Given("since", Membership, "created_at"),
    ).select_related("organization")
)
NAMED = Prepared(lambda: User.objects.filter(name=Given("name", User, "name")))


def named(name: str) -> set[str]:
    return {one.name for one in NAMED.rows(name=name)}


def test_each_use_has_its_own_values() -> None:
    mine, other = MembershipFactory.create(), MembershipFactory.create()
    long_ago, soon = now() - timedelta(days=1), now() + timedelta(days=1)

    def found(one: Any, since: Any) -> list[Any]:
        return AFTER.rows(organization=one.organization_id, since=since)

    assert found(mine, long_ago) == [mine]
    assert found(other, long_ago) == [other]
    assert found(mine, soon) == []
    assert found(mine, long_ago)[0].organization == mine.organization


def test_a_row_is_read_anew_each_time() -> None:
    one = UserFactory.create(name="before")
    assert named("before") == {"before"}

    User.objects.filter(pk=one.pk).update(name="after")

    assert named("before") == set()
    assert named("after") == {"after"}


def test_values_are_never_part_of_the_statement() -> None:
    UserFactory.create(name="innocent")

    assert named("' OR 1=1 --") == set()
    assert named("%s") == set()


@pytest.mark.django_db(transaction=True)
def test_threads_use_their_own_connections() -> None:
    one = UserFactory.create(name="shared")
    found: list[set[str]] = []

    def ask() -> None:
        found.append(named("shared"))
        connection.close()

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [{one.name}] * 4


def test_values_come_as_values() -> None:
    mine = MembershipFactory.create()
    roles = Prepared(
        lambda: Membership.objects.filter(user=Given("user", Membership, "user")).values_list(
            "pk", "role"
        )
    )

    assert roles.rows(user=mine.user_id) == [(mine.pk, mine.role)]
