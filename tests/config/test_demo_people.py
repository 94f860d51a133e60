"""The demo's people, and the data that it leaves alone."""

import pytest

from config.demo import people
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_an_empty_installation_may_become_a_demo() -> None:
    assert not people.are_others()


def test_a_demo_may_be_started_again_whoever_has_joined_it() -> None:
    people.owner()
    UserFactory()

    assert not people.are_others()


def test_an_installation_with_people_of_its_own_is_left_alone() -> None:
    UserFactory()

    assert people.are_others()
