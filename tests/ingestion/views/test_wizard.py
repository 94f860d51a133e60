"""The wizard's last step, from a verified draft to the first sync."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from connections.models import Connection, Credential, Draft
from ingestion.models import Sync
from tenants.models import Organization, User
from tenants.roles import Role
from tests.factories import ConnectionFactory, MembershipFactory
from tests.ingestion.views.conftest import Address, text_of
from tests.sandbox import Sandbox

Begin = Callable[..., Draft]

EVERYTHING = [
    "repositories",
    "people",
    "pull_requests",
    "pull_request_activity",
    "pull_request_comments",
    "pipelines",
]


@pytest.fixture
def begin(
    member: Client,
    organization: Organization,
    sandbox: Sandbox,
    django_capture_on_commit_callbacks: Any,
) -> Begin:
    """Walk through the first three steps with a token of these scopes."""

    def walk(scopes: list[str] | None = None) -> Draft:
        more = {} if scopes is None else {"scopes": scopes}
        address = reverse(
            "connections:wizard_enter",
            args=(organization.slug, "bitbucket_cloud", "access_token"),
        )
        values = {"workspace": "acme", "api_token": sandbox.tokens.workspace("acme", **more)}
        with django_capture_on_commit_callbacks(execute=True):
            member.post(address, values)
        return Draft.objects.get()

    return walk


UNUSUAL = [
    "pipeline_steps",
    "deployments",
    "commits",
]  # offered, and not ticked before a person does


def chosen(**more: Any) -> dict[str, Any]:
    return {
        "name": "Engineering",
        "streams": EVERYTHING,
        "mode": "all",
        "schedule": "60",
        **more,
    }


def test_everything_is_offered(member: Client, url: Address, begin: Begin) -> None:
    draft = begin()

    page = text_of(member.get(url("wizard_choose", draft.public_id)))

    assert "Start the first sync" in page
    offered = re.findall(r'name="streams" value="(\w+)" ([\w ]*)', page)
    assert [key for key, _ in offered] == [*EVERYTHING, *UNUSUAL]
    assert [key for key, ticked in offered if "checked" not in ticked] == UNUSUAL
    names = re.findall(r'name="repositories"[^>]*> <span>([^<]*)', page)
    assert names == sorted(one["name"] for one in draft.repositories) != []
    assert 'value="60"' in page


def test_the_first_sync_starts(member: Client, url: Address, begin: Begin) -> None:
    draft = begin()

    response = member.post(url("wizard_choose", draft.public_id), chosen())

    connection, sync = Connection.objects.get(), Sync.objects.get()
    assert response.url == url("sync", sync.pk)
    assert sync.trigger == Sync.Trigger.FIRST
    assert sync.streams == EVERYTHING
    assert connection.name == "Engineering"
    assert connection.schedule == {"kind": "every", "minutes": 60}
    assert connection.selection["repositories"] == {"mode": "all"}
    assert Credential.objects.get().connection == connection
    assert not Draft.objects.exists()


def test_chosen_repositories_streams_and_cron_are_kept(
    member: Client, url: Address, begin: Begin, organization: Organization
) -> None:
    draft = begin()
    one = draft.repositories[0]["id"]

    member.post(
        url("wizard_choose", draft.public_id),
        chosen(
            streams=["pull_request_comments"],
            mode="chosen",
            repositories=[one],
            schedule="cron",
            cron="30  2 * * *",
        ),
    )

    connection = Connection.objects.get()
    assert connection.selection["repositories"] == {"mode": "chosen", "ids": [one]}
    needed = ["repositories", "pull_requests", "pull_request_comments"]
    assert connection.selection["streams"] == needed
    assert connection.schedule == {
        "kind": "cron",
        "cron": "30 2 * * *",
        "timezone": organization.timezone,
    }


def test_what_was_set_over_the_api_and_is_not_asked_here_stays(
    member: Client, url: Address, begin: Begin
) -> None:
    draft = begin()
    patterns = {"mode": "patterns", "include": ["api*"], "exclude": ["*-old"]}
    draft.selection = {"repositories": patterns, "since": "2025-01-01"}
    draft.schedule = {"kind": "every", "minutes": 45}
    draft.save()
    address = url("wizard_choose", draft.public_id)

    page = text_of(member.get(address))
    typed = {"include": "api*", "exclude": "*-old"}
    member.post(address, chosen(mode="patterns", schedule="45", **typed))

    assert re.search(r'name="include"[^>]*> *api\*</textarea>', page)
    assert re.search(r'name="exclude"[^>]*> *\*-old</textarea>', page)
    assert re.search(r"\d of \d fits? now\.", page)
    assert re.search(r'value="45"[^>]*checked', page)
    connection = Connection.objects.get()
    assert connection.selection["repositories"] == patterns
    assert connection.selection["since"] == "2025-01-01"
    assert connection.schedule == draft.schedule


def test_the_schedule_is_asked_for_as_in_the_settings(
    member: Client, url: Address, begin: Begin, connection: Connection
) -> None:
    settings = reverse(
        "connections:connection_settings", args=[connection.organization.slug, connection.pk]
    )

    pages = [
        text_of(member.get(url("wizard_choose", begin().public_id))),
        text_of(member.get(settings)),
    ]

    for words in ("Once a day", "At set times", "Only when somebody starts it", "needed for"):
        assert all(words in page for page in pages)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "choose-name"),
        ({"name": "n" * 101}, "choose-name"),
        ({"name": "\x00"}, "choose-name"),
        ({"streams": ["everything"]}, "errorlist"),
        ({"mode": "some"}, "choose-mode"),
        ({"mode": "chosen"}, "Tick at least one repository."),
        ({"mode": "chosen", "repositories": ["{not-one-of-them}"]}, "errorlist"),
        ({"schedule": "7"}, "choose-schedule"),
        ({"schedule": "cron", "cron": ""}, "cron"),
        ({"schedule": "cron", "cron": "* * *"}, "cron"),
        ({"schedule": "cron", "cron": "0 0 31 2 *"}, "cron"),
        ({"schedule": "cron", "cron": "x" * 200}, "choose-cron"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_stored(
    member: Client, url: Address, begin: Begin, values: dict[str, Any], field: str
) -> None:
    draft = begin()

    response = member.post(url("wizard_choose", draft.public_id), chosen(**values))

    page = text_of(response)
    assert response.status_code == 400
    assert field in page
    assert "errorlist" in page
    for place in re.findall(r'href="#(choose-[^"]+)"', page):
        assert f'id="{place}"' in page
    assert 'href="#choose-' in page
    assert not Connection.objects.exists()
    assert not Sync.objects.exists()


def test_a_stream_without_its_scope_cannot_be_chosen(
    member: Client, url: Address, begin: Begin, organization: Organization
) -> None:
    draft = begin(["account", "repository", "pullrequest"])
    address = url("wizard_choose", draft.public_id)
    before = member.get(address)
    assert before.status_code == 302
    assert "verify" in before.url

    leave = reverse("connections:wizard_leave_out", args=(organization.slug, draft.public_id))
    member.post(leave, {"streams": ["pipelines"]})
    page = text_of(member.get(address))
    assert "Left out: the secret lacks a permission for it" in page

    refused = member.post(address, chosen())
    assert refused.status_code == 400

    member.post(address, chosen(streams=[s for s in EVERYTHING if s != "pipelines"]))
    assert "pipelines" not in Sync.objects.get().streams


def test_a_name_that_is_taken_is_said_beside_the_name(
    member: Client, url: Address, begin: Begin, organization: Organization
) -> None:
    ConnectionFactory.create(organization=organization, name="Engineering")
    draft = begin()

    response = member.post(url("wizard_choose", draft.public_id), chosen())

    assert response.status_code == 400
    assert "already called “Engineering”" in text_of(response)
    assert Draft.objects.exists()


def test_a_workspace_that_is_connected_already_leads_there(
    member: Client, url: Address, begin: Begin, organization: Organization, sandbox: Sandbox
) -> None:
    known = ConnectionFactory.create(
        organization=organization, identity=sandbox.world.workspaces["acme"].uuid, name="The first"
    )
    draft = begin()

    response = member.post(url("wizard_choose", draft.public_id), chosen())

    assert response.status_code == 400
    assert url("connection", known.pk) in text_of(response)


def test_a_draft_is_its_authors_alone(
    url: Address, begin: Begin, organization: Organization, viewer: Client
) -> None:
    draft = begin()
    colleague: User = MembershipFactory.create(organization=organization, role=Role.ADMIN).user
    browser = Client()
    browser.force_login(colleague)
    address = url("wizard_choose", draft.public_id)

    assert browser.get(address).status_code == 404
    assert browser.post(address, chosen()).status_code == 404
    assert viewer.get(address).status_code == 403
    assert not Connection.objects.exists()


def test_a_draft_that_is_gone_is_not_there(member: Client, url: Address) -> None:
    assert member.get(url("wizard_choose", uuid4())).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_an_estimate_moves_with_the_choice_and_preselects_the_fastest_schedule(
    member: Client, url: Address, begin: Begin, sandbox: Sandbox, settings: Settings
) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = 28
    draft = begin()
    address = url("wizard_estimate", draft.public_id)

    told = [
        text_of(member.post(address, chosen(**values), headers={"HX-Request": "true"}))
        for values in ({"preselect": "1"}, {"streams": ["people"]}, {"schedule": "15"})
    ]
    page = text_of(member.post(address, chosen(name="")))

    whole, less, often = told
    assert re.search(r"About \d+ requests: .* now, complete by .* with one token", whole)
    assert re.search(r'hx-swap-oob="true".* value="60"[^>]*checked', whole)
    assert "About 2 requests: all of them now" in less
    assert "Every 15 minutes needs" in often
    assert "this token allows 6: each pass takes about" in often
    assert "Every hour fits." in often
    assert "choose-how-often" not in less + often
    assert "Start the first sync" in page
    assert "about" in page
    assert "errorlist" not in page
    assert not Connection.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_estimate_that_cannot_be_made_says_why(
    member: Client, url: Address, begin: Begin, sandbox: Sandbox
) -> None:
    draft = begin()
    address = url("wizard_estimate", draft.public_id)

    unclear = text_of(member.post(address, chosen(mode="chosen")))
    sandbox.faults.add(r"/pullrequests", status=500)
    broken = text_of(member.post(address, chosen()))

    assert "Mend what is marked" in unclear
    assert "No estimate now." in broken


def test_an_estimate_of_a_choice_that_was_started_meanwhile_is_nothing(
    member: Client, url: Address, begin: Begin
) -> None:
    draft = begin()
    address = url("wizard_estimate", draft.public_id)
    draft.delete()

    live = member.post(address, chosen(), headers={"HX-Request": "true"})

    assert (live.status_code, live.content) == (204, b"")
    assert member.post(address, chosen()).status_code == 404
