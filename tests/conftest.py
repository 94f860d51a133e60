"""Fixtures that every test may use."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from django.conf import settings as of_the_tests
from django.core.cache import cache
from django.db.models.signals import post_migrate
from django.test import Client
from pytest_django.fixtures import Settings

from tenants import access, wall
from tenants import lots as throttle_lots
from tenants.models import Membership, Organization, User
from tests import moving_in, surroundings
from tests.factories import MembershipFactory
from tests.sandbox import Sandbox, Scale


@pytest.hookimpl(trylast=True)  # when the folders have marked what is theirs
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, and say why, what this machine cannot run; where it must, let it fail.

    Tests of a group, which would disturb each other, are in one process: xdist tells them by the
    end of their ids, and scatters them without a word where that is missing.
    """
    is_grouping = getattr(config.option, "loadgroup", False)
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if is_grouping and group and not item.nodeid.endswith(f"@{group.args[0]}"):
            raise pytest.UsageError(f"xdist does not keep {item.nodeid} with its group.")
        for reason in surroundings.lacking(item):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Tests that commit leave a database to be emptied, of its audit trail, too."""
    with wall.open_here():
        return (yield)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with its tables and static files: to be copied, not used."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "furnished"
    moving_in.furnish(folder)
    return folder


@pytest.fixture(scope="session")
def django_db_keepdb(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> Iterator[bool]:
    """A database in a file begins as a copy: all the migrations take longer than many tests."""
    database = of_the_tests.DATABASES["default"]
    if not of_the_tests.IS_SQLITE:
        yield request.config.option.reuse_db
        return
    file = Path(database["TEST"]["NAME"])
    shutil.copy(request.getfixturevalue("furnished") / "db.sqlite3", file)
    yield True
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """After a test that commits all tables are emptied, and some rows of Django's made anew.

    Not its permissions: they take the most time, and Tributary has roles of its own.
    """
    uid = "django.contrib.auth.management.create_permissions"
    assert post_migrate.disconnect(dispatch_uid=uid)


@pytest.fixture(autouse=True)
def _nothing_counted_yet() -> None:
    """Limits per minute are counted in the cache, which outlives a test."""
    cache.clear()
    throttle_lots.forget()


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1) as running:
        yield running


@pytest.fixture
def sandbox(_running_sandbox: Sandbox, settings: Settings) -> Sandbox:
    """A simulated Bitbucket, fresh for each test, to which the settings point."""
    _running_sandbox.reset(scale=Scale(), seed=1)  # a test may have asked for another world
    host = _running_sandbox.url.removeprefix("http://")
    settings.BITBUCKET_CLOUD_API_URL = _running_sandbox.api_url
    settings.BITBUCKET_CLOUD_WEB_URL = _running_sandbox.web_url
    settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset({host})
    return _running_sandbox


@pytest.fixture
def membership(db: None) -> Membership:
    """An owner in an organization."""
    return MembershipFactory.create()


@pytest.fixture
def organization(membership: Membership) -> Organization:
    """That organization, not entered."""
    return membership.organization


@pytest.fixture
def owner(membership: Membership) -> User:
    """The owner of that organization."""
    return membership.user


@pytest.fixture
def member(client: Client, owner: User) -> Client:
    """A browser in which the owner is signed in."""
    client.force_login(owner)
    return client


@pytest.fixture
def entered(organization: Organization) -> Iterator[Organization]:
    """The organization, entered for the length of the test."""
    with access.enter(organization):
        yield organization
