"""Authorizations on pages: used again, listed, revoked; the organization's own consumer."""

from collections.abc import Callable

import pytest
from django.test import Client

from connections.models import Connection, ConnectLink, Draft, Grant, OAuthConsumer
from tenants.models import Membership, Organization
from tenants.roles import Role
from tests.connections.views.conftest import Visit
from tests.connections.views.test_consent import decide
from tests.connections.views.test_wizard import text
from tests.factories import ConnectionFactory, CredentialFactory, MembershipFactory
from tests.sandbox import Sandbox
from tests.sandbox.consent.consumers import ANY_LOCAL

pytestmark = pytest.mark.django_db

Url = Callable[..., str]


@pytest.fixture
def grant(member: Client, post: Visit, url: Url, consumer: tuple[str, str]) -> Grant:
    """An authorization of Ada for acme and globex, of which nothing was made yet."""
    begun = post(url("consent_begin", "bitbucket_cloud"))
    back = decide(begun["Location"], persona="ada", workspace=["acme", "globex", "empty"])
    place = member.get(back)["Location"]
    made = Grant.objects.get()
    ids = [one["id"] for one in made.reaches if one["slug"] != "empty"]
    post(place, tick="1", workspaces=ids)
    return Grant.objects.get()


@pytest.fixture
def colleague(organization: Organization) -> Client:
    """Another admin."""
    browser = Client()
    joined: Membership = MembershipFactory.create(organization=organization, role=Role.ADMIN)
    browser.force_login(joined.user)
    return browser


def test_the_next_connection_needs_no_second_consent(
    grant: Grant, colleague: Client, url: Url, sandbox: Sandbox
) -> None:
    asked = sandbox.count("oauth2")
    page = colleague.get(url("wizard_enter", "bitbucket_cloud", "oauth2"))
    assert "Use an existing one" in text(page)
    assert "Ada Admin : acme, globex Used by no connection" in text(page)

    used = colleague.post(url("consent_use", "bitbucket_cloud", grant.pk))
    choice = text(colleague.get(used["Location"]))
    ticking = colleague.post(used["Location"], {"tick": "1", "workspaces": grant.reaches[0]["id"]})
    chosen = colleague.post(used["Location"], {"workspace": "globex"})

    assert "Which workspace is connected now?" in choice
    assert "empty" not in choice.partition("Which workspace")[2]
    assert ticking.status_code == 403
    assert chosen["Location"].endswith("/verify/")
    assert sandbox.count("oauth2") == asked
    assert Draft.objects.filter(grant=grant).count() == 2


def test_a_pending_connection_is_offered_what_fits_it(
    grant: Grant, member: Client, post: Visit, url: Url, organization: Organization
) -> None:
    for workspace, offered in (("globex", True), ("initech", False)):
        pending = ConnectionFactory.create(
            organization=organization,
            status="pending",
            identity="",
            settings={"workspace": workspace},
        )
        post(url("connection_finish", pending.pk))
        draft = Draft.objects.get(connection=pending)
        page = text(member.get(url("wizard_enter", draft.public_id, "oauth2")))
        assert ("Use an existing one" in page) is offered


def test_a_connected_workspace_is_not_offered_again(
    grant: Grant, member: Client, url: Url, organization: Organization, sandbox: Sandbox
) -> None:
    identity = sandbox.world.workspaces["acme"].uuid
    ConnectionFactory.create(organization=organization, name="Engineering", identity=identity)
    draft = Draft.objects.get()

    page = text(member.get(url("wizard_workspace", draft.public_id)))

    assert "Connected already, as Engineering" in page


def test_a_member_of_a_workspace_can_ask_an_administrator(
    grant: Grant, member: Client, post: Visit, url: Url
) -> None:
    place = url("wizard_workspace", Draft.objects.get().public_id)
    assert "Ada Admin is a member only" in text(member.get(place))

    asked = post(url("wizard_ask", Draft.objects.get().public_id), ask="globex")
    page = text(member.get(asked["Location"]))

    made = Connection.objects.get()
    assert (made.status, made.settings) == ("pending", {"workspace": "globex"})
    assert ConnectLink.objects.get().connection == made
    assert "/connect/" in page
    post(url("wizard_ask", Draft.objects.get().public_id), ask="elsewhere")
    assert Connection.objects.count() == 1


def test_the_page_of_authorizations_says_whose_they_are_and_what_uses_them(
    grant: Grant,
    member: Client,
    post: Visit,
    url: Url,
    organization: Organization,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    for name in ("Engineering", "Platform"):
        CredentialFactory.create(
            connection=ConnectionFactory.create(organization=organization, name=name),
            method="oauth2",
            secrets=None,
            grant=grant,
        )

    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        page = text(member.get(url("authorizations")))
    for part in ("Ada Admin", "acme, globex", "Engineering", "Platform", "Works"):
        assert part in page
    sure = text(member.get(url("authorization_revoke", grant.pk)))
    assert "Two connections use it" in sure
    assert "Platform" in sure
    said = text(member.get(post(url("authorization_revoke", grant.pk))["Location"]))

    assert "Engineering and Platform need another one" in said
    assert "Ended" in said
    assert Grant.objects.get().secrets is None


def test_what_acts_as_a_member_is_named_before_the_member_goes(
    grant: Grant, colleague: Client, member: Client, organization: Organization
) -> None:
    CredentialFactory.create(
        connection=ConnectionFactory.create(organization=organization, name="Engineering"),
        label="Ada’s",
        method="oauth2",
        secrets=None,
        grant=grant,
    )
    second = MembershipFactory.create(organization=organization, role=Role.OWNER)
    browser = Client()
    browser.force_login(second.user)
    owner = organization.memberships.exclude(pk=second.pk).get(role=Role.OWNER)

    page = text(browser.get(f"/o/{organization.slug}/members/{owner.pk}/remove/"))
    other = text(browser.get(f"/o/{organization.slug}/members/{second.pk}/leave/"))

    assert "One credential acts as" in page
    assert "Ada’s of Engineering" in page
    assert "acts as" not in other


def test_an_organization_sets_and_removes_its_own_consumer(
    member: Client, post: Visit, url: Url, sandbox: Sandbox, consumer: tuple[str, str]
) -> None:
    sandbox.consumers.add("of-acme", "hush", ANY_LOCAL, ["account"])
    place = member.get(url("own_consumers"))["Location"]
    assert "share its quota with others" in text(member.get(place))

    wrong = post(place, client_id="of-acme", client_secret="wrong")
    right = post(place, client_id="of-acme", client_secret="hush")
    page = member.get(right["Location"])

    assert wrong.status_code == 422
    assert "knows no consumer" in text(wrong)
    assert "wrong" not in wrong.content.decode().partition("<form")[2]
    assert "of-acme" in text(page)
    assert "hush" not in page.content.decode()
    assert "/consent/bitbucket/" in text(page)
    begun = post(url("consent_begin", "bitbucket_cloud"))
    assert "client_id=of-acme" in begun["Location"]
    post(url("own_consumer_remove", "bitbucket_cloud"))
    assert not OAuthConsumer.objects.exists()
