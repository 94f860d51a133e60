"""A script that calls the API with a key, and a connection of its organization."""

import pytest

from connections.models import Connection
from tenants.models import Organization
from tests.connections.api.conftest import MakeScript, Script, script_of
from tests.factories import ConnectionFactory, CredentialFactory, MembershipFactory

__all__ = ("script_of",)


@pytest.fixture
def script(organization: Organization, script_of: MakeScript) -> Script:
    """A script with a key that may do everything."""
    return script_of(organization)


@pytest.fixture
def connection(organization: Organization) -> Connection:
    """A connection with one credential."""
    made = ConnectionFactory.create(organization=organization)
    CredentialFactory.create(connection=made, quota_subject="a-subject")
    return made


@pytest.fixture
def foreign(db: None) -> Connection:
    """A connection of another organization."""
    return ConnectionFactory.create(organization=MembershipFactory.create().organization)
