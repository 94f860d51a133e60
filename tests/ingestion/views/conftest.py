"""A member who is signed in, and what there is to look at."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from tenants import access
from tenants.models import Organization
from tenants.roles import Role
from tests.factories import ConnectionFactory, CredentialFactory, MembershipFactory

Address = Callable[..., str]


@pytest.fixture
def viewer(organization: Organization) -> Client:
    """A browser in which a viewer of the organization is signed in."""
    browser = Client()
    browser.force_login(MembershipFactory.create(organization=organization, role=Role.VIEWER).user)
    return browser


@pytest.fixture
def url(organization: Organization) -> Address:
    """Addresses of pages of the organization, by name."""

    def made(name: str, *args: Any) -> str:
        return reverse(f"ingestion:{name}", args=(organization.slug, *args))

    return made


@pytest.fixture
def connection(organization: Organization) -> Connection:
    """A connection that is synced every hour, with one credential."""
    made = ConnectionFactory.create(
        organization=organization,
        name="Engineering workspace",
        schedule={"kind": "every", "minutes": 60},
    )
    CredentialFactory.create(connection=made, quota_subject="a-subject")
    return made


@pytest.fixture
def foreign(db: None) -> Connection:
    """A connection of another organization."""
    other = MembershipFactory.create().organization
    with access.enter(other):
        return ConnectionFactory.create(organization=other, name="Not yours")


def text_of(response: Any) -> str:
    """A page as text with single spaces."""
    return " ".join(response.content.decode().split())
