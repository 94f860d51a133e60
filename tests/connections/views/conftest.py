"""A member who is signed in, and what there is to look at."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from connections.models import Draft
from tenants import access
from tenants.models import Organization
from tests.sandbox import Sandbox
from tests.sandbox.sandbox import CONSUMER

Visit = Callable[..., Any]


@pytest.fixture
def url(organization: Organization) -> Callable[..., str]:
    """Addresses of pages of the organization, by name."""

    def made(name: str, *args: Any) -> str:
        return reverse(f"connections:{name}", args=(organization.slug, *args))

    return made


@pytest.fixture
def post(member: Client, django_capture_on_commit_callbacks: Any) -> Visit:
    """Sends a form, lets what was dispatched run, and follows to the page behind it."""

    def send(address: str, **values: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return member.post(address, values)

    return send


@pytest.fixture
def consumer(sandbox: Sandbox, settings: Settings) -> tuple[str, str]:
    """The OAuth consumer of the simulated Bitbucket."""
    settings.BITBUCKET_OAUTH_CLIENT_ID, settings.BITBUCKET_OAUTH_CLIENT_SECRET = CONSUMER
    settings.PUBLIC_URL = "http://127.0.0.1"
    return CONSUMER


@pytest.fixture
def draft_of(organization: Organization) -> Iterator[Callable[[], Draft]]:
    """The only draft there is."""
    with access.enter(organization):
        yield lambda: Draft.objects.for_organization(organization).get()
