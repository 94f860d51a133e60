"""The page of the audit log."""

import pytest
from django.test import Client

from tenants.actor import Actor
from tenants.models import Organization, User
from tenants.services import audit
from tests.tenants.conftest import address, text

pytestmark = pytest.mark.django_db


def test_the_audit_log_reads_as_sentences(at_owner: Client, organization: Organization) -> None:
    at_owner.post(
        address(organization, "api-keys/new/"),
        {"name": "<b>CI</b>", "role": "admin", "scopes": ["syncs:read"], "days": "30"},
    )

    shown = text(at_owner.get(address(organization, "audit-log/")))

    assert "created the API key <em>&lt;b&gt;CI&lt;/b&gt;</em>" in shown


def test_every_event_of_the_audit_log_shows_its_code(
    at_owner: Client, organization: Organization
) -> None:
    audit.record(
        organization=organization,
        event_type="organizations.created",
        target={"type": "organization", "name": organization.name},
        by=Actor.system(),
    )

    shown = text(at_owner.get(address(organization, "audit-log/")))

    assert "<code>organizations.created</code>" in shown


def test_the_audit_log_is_filtered(at_owner: Client, organization: Organization) -> None:
    at_owner.post(address(organization, "settings/"), {"name": "New", "timezone": "Europe/Vienna"})
    at_owner.post(address(organization, "members/invite/"), {"role": "viewer"})
    page = address(organization, "audit-log/")

    settings_only = text(at_owner.get(page, {"event_type": "organizations.updated"}))
    nobody = text(at_owner.get(page, {"who": "nobody"}))

    assert "changed the settings of <em>New</em>" in settings_only
    assert "<strong>" in settings_only
    assert "invited" not in settings_only.split("<tbody>")[1]
    assert "Nothing of this kind" in nobody


@pytest.mark.parametrize(
    "query",
    [
        {"page": "x"},
        {"page": "9" * 30},
        {"since": "0001-01-01"},
        {"since": "9999-12-31"},
        {"since": "2026-02-31"},
        {"who": "\0"},
        {"who": "x" * 10_000},
        {"event_type": "%"},
    ],
)
def test_filters_that_make_no_sense(
    at_owner: Client, organization: Organization, owner: User, query: dict[str, str]
) -> None:
    User.objects.filter(pk=owner.pk).update(timezone="Pacific/Auckland")

    assert at_owner.get(address(organization, "audit-log/"), query).status_code == 200
