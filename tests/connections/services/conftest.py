"""Connections that work, for tests of services."""

import pytest

from connections.models import Connection, Credential, Draft
from connections.services import drafts
from connections.services.creating import create_connection
from connections.services.entering import NewCredential
from tenants.actor import Actor
from tenants.models import Organization, User
from tests.sandbox import Sandbox


@pytest.fixture
def secret(sandbox: Sandbox) -> str:
    """A workspace access token that may read everything."""
    return sandbox.tokens.workspace("acme")


@pytest.fixture
def connection(entered: Organization, actor: Actor, secret: str) -> Connection:
    """A connection with one credential that works."""
    made = create_connection(
        organization=entered,
        connector="bitbucket_cloud",
        name="Engineering",
        settings={"workspace": "acme"},
        credential=NewCredential(secrets={"api_token": secret}),
        by=actor,
    )
    assert made.connection is not None
    return made.connection


@pytest.fixture
def credential(connection: Connection) -> Credential:
    return Credential.objects.get(connection=connection)


@pytest.fixture
def draft(entered: Organization, owner: User, actor: Actor) -> Draft:
    """A draft in which nothing was typed."""
    return drafts.start_draft(
        organization=entered, connector="bitbucket_cloud", by=owner, actor=actor
    )
