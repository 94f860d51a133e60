"""The demo's people, and the data that it leaves alone."""

import pytest
from allauth.socialaccount.models import SocialAccount
from pytest_django.fixtures import Settings

from config.demo import bitbucket, people
from tests.factories import UserFactory
from tests.sandbox import Sandbox

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


def test_the_owner_may_sign_in_with_an_account_that_has_a_name(
    sandbox: Sandbox, settings: Settings
) -> None:
    settings.BITBUCKET_SIGNIN_CLIENT_ID = "tributary-signin"
    owner, ada = people.owner(), sandbox.world.persona("ada")
    told = bitbucket.account(f"{sandbox.url}/control/", owner.email)

    people.may_sign_in_with_bitbucket(owner, told)

    account = SocialAccount.objects.get(user=owner)
    assert account.uid == ada.account_id
    assert account.get_provider_account().to_str() == ada.display_name
    account.extra_data = {}
    assert account.get_provider_account().to_str() == ada.account_id
