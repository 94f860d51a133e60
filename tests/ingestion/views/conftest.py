"""A member who is signed in, and what there is to look at."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import State, Sync
from tenants import access
from tenants.models import Organization
from tenants.roles import Role
from tests.factories import (
    ConnectionFactory,
    CredentialFactory,
    MembershipFactory,
    RepositoryFactory,
    StreamRunFactory,
    SyncFactory,
)

Address = Callable[..., str]
REFUSED = {
    "code": "invalid_permissions",
    "message": "The token lacks the scope pipeline.",
    "retryable": False,
    "mended_by": "admin",
    "evidence": {"status": 403},
}


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


@pytest.fixture
def running(connection: Connection) -> Sync:
    """A sync that has read 2,140 of about 4,280 pull requests in a minute."""
    repositories = RepositoryFactory.create_batch(8, connection=connection)
    sync = SyncFactory.create(
        connection=connection,
        state=State.RUNNING,
        started_at=now() - timedelta(minutes=1),
        finished_at=None,
        heartbeat_at=now(),
        counts={"read": 2240},
        requests=120,
        seconds={"bitbucket": 30.0, "database": 10.0, "waiting": 0.0},
    )
    StreamRunFactory.create(sync=sync, stream="repositories", read=100, requests=2, total=None)
    StreamRunFactory.create(
        sync=sync,
        stream="pull_requests",
        state=State.RUNNING,
        read=2140,
        created=2000,
        updated=140,
        expected=4280,
        done=3,
        total=8,
        requests=118,
        started_at=now() - timedelta(minutes=1),
    )
    for repository in repositories:
        StreamRunFactory.create(sync=sync, repository=repository, state=State.RUNNING, read=250)
    return sync


def heading(page: str) -> str:
    """What the page answers first."""
    found = re.search(r"<h1>(.*?)</h1>", page)
    return found.group(1) if found else ""
