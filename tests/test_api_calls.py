"""“Show as API call”: what the pages show works as it stands, and showing it changes nothing."""

import html
import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from connections.models import Connection, Credential
from connections.services.drafts import fill_draft, start_draft
from connections.services.rotation import begin_rotation
from connections.services.verification import begin_draft_verification, verify_draft
from ingestion.models import Repository, Sync
from tenants import access
from tenants.actor import Actor
from tenants.models import Membership, Organization, User
from tenants.roles import Role
from tests.connections.conftest import connection, token
from tests.factories import MembershipFactory, RepositoryFactory, SyncFactory
from tests.sandbox import Sandbox
from tests.tenants.conftest import key, make_key
from tests.worlds import snapshot_of

__all__ = ("connection", "key", "make_key", "token")

COMMAND = re.compile(r"<code>(curl .*?)</code>", re.DOTALL)
ODD = 'O\'Brien $(date) `id` \\ "x" $SECRET'


@dataclass
class Reader:
    """A member who has calls shown, and runs them."""

    client: Client
    organization: Organization
    key: str
    owner: User

    def shown(self, path: str, **typed: Any) -> str:
        """The command that a form shows; nothing was changed by that."""
        before = snapshot_of(self.organization)
        page = self.client.post(self.address(path), {"as_api_call": "1", **typed})
        assert snapshot_of(self.organization) == before
        assert page.status_code == 200
        text = page.content.decode()
        found = COMMAND.search(text)
        assert found, text
        return html.unescape(found[1])

    def run(self, path: str, secret: str = "", **typed: Any) -> dict[str, Any]:
        """Run the command that a form shows, as it stands; its answer."""
        given = {**os.environ, "TRIBUTARY_KEY": self.key, "SECRET": secret}
        ran = subprocess.run(
            ["sh", "-c", self.shown(path, **typed)], env=given, capture_output=True, check=True
        )
        answer: dict[str, Any] = json.loads(ran.stdout)
        assert answer["ok"], answer
        return answer

    def address(self, path: str) -> str:
        home = f"/o/{self.organization.slug}"
        return f"{home}{path}" if path.startswith("/") else f"{home}/connections/{path}"


@pytest.fixture
def reader(
    live_server: Any, membership: Membership, client: Client, key: str, settings: Settings
) -> Reader:
    settings.PUBLIC_URL = live_server.url
    client.force_login(membership.user)
    return Reader(client, membership.organization, key, membership.user)


def test_connecting(reader: Reader, sandbox: Sandbox, token: str) -> None:
    typed = {"workspace": "https://bitbucket.org/acme/", "api_token": "typed"}
    page = reader.client.get(reader.address("new/bitbucket_cloud/access_token/"))
    assert b'name="as_api_call"' in page.content

    made = reader.run("new/bitbucket_cloud/access_token/", token, **typed)

    assert made["connection"]["state"] == "verified"
    stored = Credential.objects.get().secrets
    assert stored is not None
    assert stored["api_token"] == token


def test_pasting(reader: Reader, sandbox: Sandbox, token: str) -> None:
    made = reader.run("new/bitbucket_cloud/", token)
    assert made["connection"]["settings"] == {"workspace": "acme"}
    assert Credential.objects.get().method == "access_token"


def test_everything_on_a_connection(
    reader: Reader, connection: Connection, sandbox: Sandbox, token: str
) -> None:
    pk, old = connection.pk, connection.credentials.get()
    other = sandbox.tokens.workspace("acme")
    run = reader.run

    added = run(f"{pk}/credentials/add/access_token/", other, label="Second", api_token="typed")
    assert added["credential"]["label"] == "Second"
    of_old = f"{pk}/credentials/{old.pk}"
    rotated = run(
        f"{of_old}/rotate/", other, label="New", api_token="x", expiration_date="2027-01-31"
    )
    assert rotated["credential"]["expiration_date"] == "2027-01-31"
    assert run(f"{of_old}/test/")["verification"]["outcome"] == "ok"
    assert run(f"{of_old}/disable/")["credential"]["status"] == "disabled"
    assert run(f"{of_old}/enable/")["credential"]["status"] == "active"
    saved = run(f"{pk}/settings/", name=ODD, schedule="60", window="all")
    assert (saved["connection"]["name"], saved["connection"]["schedule"]["minutes"]) == (ODD, 60)
    assert run(f"{pk}/pause/")["connection"]["state"] == "disabled"
    assert run(f"{pk}/resume/")["connection"]["state"] == "verified"
    assert run(f"{pk}/verify/")["verification"]["outcome"] == "ok"
    repository: Repository = RepositoryFactory.create(connection=connection)
    ticked = {"ids": [repository.pk]}
    left_out = run(f"{pk}/repositories/", as_api_call="leave_out", **ticked)
    assert [row["selected"] for row in left_out["repositories"]] == [False]
    selected = run(f"{pk}/repositories/", as_api_call="select", **ticked)
    assert [row["selected"] for row in selected["repositories"]] == [True]
    by_name = run(f"{pk}/repositories/by-name/", include="a*\nb*", exclude="")
    assert by_name["connection"]["selection"]["repositories"]["include"] == ["a*", "b*"]
    every = run(f"{pk}/repositories/", as_api_call="all")
    assert every["connection"]["selection"]["repositories"]["mode"] == "all"
    assert "/connect/" in run(f"{pk}/links/new/")["link"]["url"]
    registered = run(f"{pk}/webhooks/register/", rotate="1")
    assert registered["secret"]
    assert run(f"{pk}/webhooks/remove/")["webhooks"]["state"] == "off"
    sync = SyncFactory.create(connection=connection, state="queued")
    cancelled = run(f"/syncs/{sync.pk}/stop/")
    assert cancelled["sync"]["state"] == "cancelled"
    Sync.objects.filter(pk=sync.pk).update(state="failed")
    again = run(f"/syncs/{sync.pk}/retry/")["sync"]
    assert again["id"] != sync.pk
    Sync.objects.filter(pk=again["id"]).update(state="succeeded")
    started = run(f"{pk}/syncs/start/", mode="full")
    assert Sync.objects.get(pk=started["sync"]["id"]).mode == "full"
    run(f"{of_old}/delete/")
    run(f"{pk}/delete/", confirm="")
    connection.refresh_from_db()
    assert connection.deleted_at is not None


def test_taking_over_and_joining(
    reader: Reader, connection: Connection, sandbox: Sandbox, token: str
) -> None:
    pk, old = connection.pk, connection.credentials.get()
    of_old, owner = f"{pk}/credentials/{old.pk}", reader.owner
    given = {"settings": {}, "secrets": {"api_token": sandbox.tokens.workspace("acme")}}
    with access.enter(reader.organization):
        rotation = begin_rotation(
            credential=old, by=owner, actor=Actor.for_user(owner), label="New", **given
        )
        draft = start_draft(
            organization=reader.organization,
            connector="bitbucket_cloud",
            by=owner,
            actor=Actor.for_user(owner),
        )
        place = {"workspace": "acme"}
        fill_draft(
            draft=draft,
            method="access_token",
            actor=Actor.for_user(owner),
            **{**given, "settings": place},
        )
        verify_draft(begin_draft_verification(draft=draft, send=False))

    taken = reader.run(f"{of_old}/rotate/{rotation.public_id}/", token)
    joined = reader.run(f"new/{draft.public_id}/join/", token)

    assert taken["credential"]["label"] == "New"
    assert joined["credential"]["id"] != old.pk


def test_what_has_no_call_says_so(reader: Reader, connection: Connection) -> None:
    address = reader.address(f"{connection.pk}/settings/")

    page = reader.client.post(address, {"as_api_call": "1"}, headers={"X-Part": "api-call"})

    assert b"Mend this first: Name" in page.content
    assert b"<html" not in page.content


def test_it_needs_the_same_role(reader: Reader, connection: Connection) -> None:
    viewer = MembershipFactory.create(organization=reader.organization, role=Role.VIEWER)
    reader.client.force_login(viewer.user)

    page = reader.client.post(reader.address(f"{connection.pk}/pause/"), {"as_api_call": "1"})

    assert page.status_code == 403
