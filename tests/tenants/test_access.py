"""The one door, who came through it, and what the log says of it."""

import logging

import pytest
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from tenants import access
from tenants.access import OutsideOrganization
from tenants.actor import client_address
from tenants.models import AuditEvent, Membership, Organization, User
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db


def test_rows_are_reached_through_the_door_only(organization: Organization) -> None:
    with pytest.raises(OutsideOrganization):
        AuditEvent.objects.for_organization(organization)

    with access.enter(organization):
        assert not AuditEvent.objects.for_organization(organization).exists()


def test_inside_one_organization_there_is_no_other(organization: Organization) -> None:
    other = OrganizationFactory.create()

    with access.enter(organization):
        with pytest.raises(OutsideOrganization):
            AuditEvent.objects.for_organization(other)
        with pytest.raises(OutsideOrganization), access.enter(other):
            pass


def test_the_door_closes_behind_an_error(organization: Organization) -> None:
    with pytest.raises(ZeroDivisionError), access.enter(organization):
        _ = 1 / 0

    assert access.entered() is None


def test_an_organization_may_be_entered_again_by_its_id(organization: Organization) -> None:
    with access.enter(organization), access.enter(organization.pk):
        assert access.entered() == organization.pk

    assert access.entered() is None


@pytest.mark.parametrize(
    ("proxies", "header", "believed"),
    [
        (0, "6.6.6.6", "127.0.0.1"),
        (1, "6.6.6.6, 10.0.0.9", "10.0.0.9"),
        (2, "6.6.6.6, 10.0.0.9", "6.6.6.6"),
        (2, "10.0.0.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_whose_address_is_believed(
    settings: Settings, proxies: int, header: str, believed: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header})

    assert client_address(request) == believed


@pytest.mark.django_db
def test_the_log_believes_the_same_address(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    logging.getLogger().setLevel(logging.INFO)

    with caplog.at_level(logging.INFO):
        client.get("/accounts/login/", headers={"X-Forwarded-For": "6.6.6.6, 10.0.0.9"})

    logged = str([record.msg for record in caplog.records])
    assert "'ip': '10.0.0.9'" in logged
    assert "6.6.6.6" not in logged


@pytest.mark.parametrize("address", ["10.0.0.9:4711", "[::1]", "unknown", "x" * 500])
def test_an_address_that_is_none_is_not_kept(
    client: Client,
    settings: Settings,
    organization: Organization,
    owner: User,
    address: str,
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    client.force_login(owner)

    answer = client.post(
        f"/o/{organization.slug}/members/invite/",
        {"role": "viewer"},
        headers={"X-Forwarded-For": address},
    )

    assert answer.status_code == 302
    assert AuditEvent.objects.get().ip_address in {None, "10.0.0.9", "::1"}


def test_the_log_holds_neither_links_nor_queries(
    client: Client, membership: Membership, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger().setLevel(logging.INFO)

    with caplog.at_level(logging.INFO):
        client.get("/join/the-token-of-a-link")
        Client(enforce_csrf_checks=True).post("/join/the-token-of-a-link")
        client.get("/accounts/confirm-email/the-token-of-a-mail/")
        client.get("/accounts/login/?next=/a-code-in-a-query")

    logged = str([(record.msg, record.args) for record in caplog.records])
    assert "GET /join/…" in logged
    assert "the-token" not in logged
    assert "a-code" not in logged
