"""The credentials tab: list, test, add, rotate, switch off, delete."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from connections.forms.entry import AGAIN, KEPT
from connections.models import Connection, Credential, Verification
from tenants.models import Organization
from tenants.roles import Role
from tests.connections.views.conftest import Visit
from tests.connections.views.test_wizard import text
from tests.factories import ConnectionFactory, CredentialFactory, MembershipFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db

Url = Callable[..., str]


def test_the_list_tells_of_each_and_shows_no_secret(
    member: Client, url: Url, connection: Connection, credential: Credential, token: str
) -> None:
    page = member.get(url("credentials", connection.pk))

    assert credential.label in text(page)
    assert "Workspace access token" in text(page)
    assert "Not yet" in text(page)
    assert token not in page.content.decode()


def test_a_viewer_sees_the_list_and_whom_to_ask(
    client: Client, organization: Organization, url: Url, connection: Connection, credential: Any
) -> None:
    client.force_login(MembershipFactory.create(organization=organization, role=Role.VIEWER).user)
    where = (connection.pk, credential.pk)

    page = client.get(url("credentials", connection.pk))
    tried = [
        client.post(url("credential_test", *where)),
        client.post(url("credential_disable", *where)),
        client.post(url("credential_delete", *where)),
        client.get(url("credential_rotate", *where)),
        client.get(url("credential_add", connection.pk)),
        client.post(url("connection_pause", connection.pk)),
        client.post(url("connection_delete", connection.pk), {"confirm": connection.name}),
    ]

    assert "An admin can change the credentials" in text(page)
    assert "Rotate" not in text(page)
    assert {answer.status_code for answer in tried} == {403}


def test_a_test_shows_its_checks(
    member: Client, post: Visit, url: Url, connection: Connection, credential: Credential
) -> None:
    where = url("credential_test", connection.pk, credential.pk)

    before = member.get(where)
    answer = post(where)
    after = member.get(answer["Location"])

    assert "Not tested yet" in text(before)
    assert "checks pass" in text(after)


def test_a_running_test_asks_again(
    member: Client, url: Url, connection: Connection, credential: Credential
) -> None:
    where = (connection.pk, credential.pk)
    member.post(url("credential_test", *where))

    page = member.get(url("credential_test", *where)).content.decode()
    part = member.get(url("credential_test_live", *where)).content.decode()

    assert f'hx-get="{url("credential_test_live", *where)}"' in page
    assert "<html" not in part


def test_a_test_that_was_lost_can_be_run_again(
    member: Client, url: Url, connection: Connection, credential: Credential
) -> None:
    where = url("credential_test", connection.pk, credential.pk)
    member.post(where)
    Verification.objects.update(lease_until=now())

    lost = text(member.get(where))

    assert "The check has stopped" in lost
    assert "Test again" in lost
    assert "Rotate" not in lost


def test_a_refused_secret_is_told_and_the_way_out(
    member: Client,
    post: Visit,
    url: Url,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
    token: str,
) -> None:
    sandbox.change.revoke(token)

    answer = post(url("connection_verify", connection.pk))
    page = member.get(answer["Location"])

    assert answer["Location"] == url("credential_test", connection.pk, credential.pk)
    assert "401" in text(page)
    assert url("credential_rotate", connection.pk, credential.pk) in page.content.decode()


@pytest.mark.parametrize(
    ("gone", "action", "way_out"),
    [
        ("credential_delete", "Add a credential", "credential_add"),
        ("credential_disable", "Enable a credential", "credentials"),
    ],
)
def test_without_a_credential_the_way_out_is_to_have_one_again(
    member: Client,
    url: Url,
    connection: Connection,
    credential: Credential,
    gone: str,
    action: str,
    way_out: str,
) -> None:
    Connection.objects.update(next_sync_at=now())
    way = f'<a class="btn btn-primary" href="{url(way_out, connection.pk)}">{action}</a>'
    verify = url("connection_verify", connection.pk)
    head = reverse("ingestion:connection", args=(connection.organization.slug, connection.pk))
    assert verify in member.get(head).content.decode()

    member.post(url(gone, connection.pk, credential.pk))
    page = member.get(head).content.decode()

    assert way in page
    assert verify not in page
    assert "once mended" in page


def test_a_problem_has_no_button_that_leads_to_its_own_page(
    member: Client, url: Url, connection: Connection, credential: Credential
) -> None:
    member.post(url("credential_disable", connection.pk, credential.pk))

    page = member.get(url("credentials", connection.pk)).content.decode()

    assert "no credential is left" in page
    assert "Enable a credential" not in page
    assert url("credential_enable", connection.pk, credential.pk) in page


def test_a_credential_is_added(
    member: Client, post: Visit, url: Url, connection: Connection, sandbox: Sandbox
) -> None:
    second = sandbox.tokens.workspace("acme", label="second")
    where = url("credential_add", connection.pk, "access_token")

    answer = post(where, api_token=second, label="CI", expiration_date="2027-05-01")

    assert answer["Location"] == url("credentials", connection.pk)
    page = text(member.get(answer["Location"]))
    assert "CI" in page
    assert "1 May 2027" in page
    assert connection.credentials.count() == 2


def test_a_credential_that_fails_is_not_added(
    post: Visit, url: Url, connection: Connection, credential: Credential
) -> None:
    answer = post(url("credential_add", connection.pk, "access_token"), api_token="ATCTTwrong")

    assert answer.status_code == 422
    assert "401" in text(answer)
    assert "ATCTTwrong" not in answer.content.decode()
    assert connection.credentials.count() == 1


def test_a_missing_scope_of_a_connection_is_not_gone_on_without(
    post: Visit, url: Url, connection: Connection, credential: Credential, sandbox: Sandbox
) -> None:
    lacking = sandbox.tokens.workspace("acme", scopes=["account", "repository", "pullrequest"])

    answer = post(url("credential_add", connection.pk, "access_token"), api_token=lacking)

    assert "Make a token that has what is missing." in text(answer)
    assert "go on without" not in text(answer)


def test_a_token_of_another_workspace_is_told_which_one_is_needed(
    post: Visit, url: Url, connection: Connection, credential: Credential, sandbox: Sandbox
) -> None:
    other = sandbox.tokens.workspace("globex")

    answer = post(url("credential_add", connection.pk, "access_token"), api_token=other)

    assert "The token has to be one for the workspace acme." in text(answer)
    assert "Check the name" not in text(answer)


def test_rotation_verifies_first(
    post: Visit,
    url: Url,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
    token: str,
) -> None:
    where = url("credential_rotate", connection.pk, credential.pk)
    fresh = sandbox.tokens.workspace("acme", label="fresh")

    refused = post(where, api_token="ATCTTwrong", label=credential.label)
    kept = dict(Credential.objects.get().secrets)
    accepted = post(where, api_token=fresh, label=credential.label)

    assert refused.status_code == 422
    assert kept == {"api_token": token}
    assert accepted.status_code == 302
    assert dict(Credential.objects.get().secrets) == {"api_token": fresh}


def test_the_secret_to_replace_is_not_called_optional(
    member: Client, post: Visit, url: Url, connection: Connection, credential: Credential
) -> None:
    where = url("credential_rotate", connection.pk, credential.pk)

    asked = member.get(where).content.decode()
    refused = post(where, api_token="ATCTTwrong").content.decode()

    for page in (asked, refused):
        assert 'for="id_api_token">Access token</label>' in page
    assert KEPT in asked
    assert KEPT not in refused
    assert AGAIN in refused


def test_what_is_stored_is_never_put_into_the_form(
    member: Client, url: Url, connection: Connection, credential: Credential, token: str
) -> None:
    page = member.get(url("credential_rotate", connection.pk, credential.pk)).content.decode()

    assert "kept, type to replace" in page
    assert token not in page


def test_switching_off_can_be_undone(
    member: Client, post: Visit, url: Url, connection: Connection, credential: Credential
) -> None:
    where = (connection.pk, credential.pk)

    off = post(url("credential_disable", *where))
    page = member.get(off["Location"]).content.decode()
    post(url("credential_enable", *where))

    assert f'action="{url("credential_enable", *where)}"' in page
    assert "Undo" in page
    credential.refresh_from_db()
    assert credential.disabled_at is None


def test_deleting_says_what_it_does_and_erases_the_secret(
    member: Client, post: Visit, url: Url, connection: Connection, credential: Credential
) -> None:
    where = url("credential_delete", connection.pk, credential.pk)

    asked = text(member.get(where))
    post(where)

    assert "the last one" in asked
    credential.refresh_from_db()
    assert credential.secrets is None
    assert credential.deleted_at is not None


def test_another_connections_credential_is_not_there(
    member: Client, url: Url, connection: Connection, organization: Organization
) -> None:
    other = CredentialFactory.create(connection=ConnectionFactory.create(organization=organization))

    answers = [
        member.get(url(name, connection.pk, other.pk))
        for name in ("credential_test", "credential_rotate", "credential_delete")
    ]

    assert {answer.status_code for answer in answers} == {404}


def test_the_list_asks_the_database_as_often_for_many(
    member: Client, url: Url, connection: Connection, django_assert_max_num_queries: Any
) -> None:
    CredentialFactory.create_batch(20, connection=connection)

    with django_assert_max_num_queries(14):
        page = member.get(url("credentials", connection.pk))

    assert page.content.decode().count("card-footer") == 21


def test_rotation_that_sees_fewer_is_compared_and_confirmed(
    member: Client,
    post: Visit,
    url: Url,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
) -> None:
    connection.selection = {**connection.selection, "streams": ["repositories"]}
    connection.save()
    project = next(iter(sandbox.world.workspaces["acme"].projects))
    fewer = sandbox.tokens.project("acme", project)

    answer = post(url("credential_rotate", connection.pk, credential.pk), api_token=fewer)
    compared = member.get(answer["Location"])
    refused = post(answer["Location"])
    taken = post(answer["Location"], confirmed="yes")

    assert "fewer" in text(compared)
    assert fewer not in compared.content.decode()
    assert refused.status_code == 422
    assert taken["Location"] == url("credentials", connection.pk)
    credential.refresh_from_db()
    assert dict(credential.secrets or {}) == {"api_token": fewer}


def test_rotation_names_who_else_uses_the_secret_and_may_be_left(
    member: Client,
    post: Visit,
    url: Url,
    connection: Connection,
    credential: Credential,
    sandbox: Sandbox,
    token: str,
) -> None:
    pipelines = ConnectionFactory.create(
        organization=connection.organization, name="Pipelines", identity=""
    )
    Credential.objects.filter(pk=credential.pk).update(secret_hash="same")
    twin = CredentialFactory.create(connection=pipelines, secret_hash="same")
    new = sandbox.tokens.workspace("acme", label="new")

    answer = post(url("credential_rotate", connection.pk, credential.pk), api_token=new)
    page = text(member.get(answer["Location"]))
    forgotten = post(f"{answer['Location']}forget/")
    again = post(url("credential_rotate", connection.pk, credential.pk), api_token=new)
    post(again["Location"])

    assert "Pipelines uses this token too" in page
    assert forgotten["Location"] == url("credentials", connection.pk)
    credential.refresh_from_db()
    twin.refresh_from_db()
    assert dict(credential.secrets or {}) == {"api_token": new}
    assert twin.secret_hash == "same"
