"""Fixtures of the tests of tenants."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework_api_key.crypto import KeyGenerator

from tenants.models import ApiKey, Membership, Organization, Scope, User
from tenants.roles import Role
from tests.factories import MembershipFactory

MakeKey = Callable[..., str]


@pytest.fixture
def make_key(organization: Organization, owner: User) -> MakeKey:
    """Makes API keys and gives what a script would be told."""

    def make(**values: Any) -> str:
        key, prefix, hashed = KeyGenerator().generate()
        given: dict[str, Any] = {"scopes": Scope.values, "role": Role.OWNER, "made_by": owner}
        ApiKey.objects.create(
            organization=organization, name="script", prefix=prefix, hash=hashed, **given | values
        )
        return key

    return make


@pytest.fixture
def key(make_key: MakeKey) -> str:
    """A key that may do everything."""
    return make_key()


@pytest.fixture
def api(client: Client, key: str) -> Client:
    """A client that sends that key."""
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


@pytest.fixture
def stranger(db: None) -> Membership:
    """An owner in another organization."""
    return MembershipFactory.create()


@pytest.fixture
def viewer(organization: Organization) -> User:
    return MembershipFactory.create(organization=organization, role=Role.VIEWER).user


@pytest.fixture
def admin(organization: Organization) -> User:
    return MembershipFactory.create(organization=organization, role=Role.ADMIN).user


@pytest.fixture
def at_owner(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def address(organization: Organization, rest: str) -> str:
    return f"/o/{organization.slug}/{rest}"


def text(answer: Any) -> str:
    return str(answer.content.decode())
