"""What an operator types."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from tenants.models import ApiKey, Organization, Scope

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_an_organization_is_made() -> None:
    assert run("create_organization", "Acme Corp.") == "acme-corp\n"
    assert Organization.objects.get().name == "Acme Corp."


def test_its_first_owner_is_invited() -> None:
    link = run("create_organization", "Acme", "--invite-owner").splitlines()[1]

    followed = Client().get(link.removeprefix("http://testserver"))

    assert followed["Location"] == "/join/"


def test_a_key_is_printed_alone(organization: Organization) -> None:
    arguments = ["--organization", organization.slug, "--name", "CI", "--scopes", "all"]

    key = run("create_api_key", *arguments, "--days", "1").strip()

    row = ApiKey.objects.get()
    assert key.startswith(f"{row.prefix}.")
    assert set(row.scopes) == set(Scope.values)
    assert row.expires_at is not None


def test_all_scopes_and_a_name_are_told_apart(organization: Organization) -> None:
    arguments = ["--organization", organization.slug, "--name", "CI"]

    with pytest.raises(CommandError, match="either all, or names"):
        run("create_api_key", *arguments, "--scopes", "all,connections:read")


@pytest.mark.parametrize(
    "arguments",
    [
        ["create_organization", " "],
        ["create_organization", "x" * 101],
        ["create_organization", "x", "--timezone", "Mars/Phobos"],
        ["create_api_key", "--organization", "none", "--name", "x", "--scopes", "all"],
        ["create_api_key", "--organization", "{slug}", "--name", "x", "--scopes", "king"],
        ["create_api_key", "--organization", "{slug}", "--name", "", "--scopes", "all"],
        [
            "create_api_key",
            *("--organization", "{slug}", "--name", "x", "--scopes", "all", "--days", "0"),
        ],
    ],
)
def test_what_makes_no_sense_is_a_sentence(
    organization: Organization, arguments: list[str]
) -> None:
    with pytest.raises(CommandError):
        run(*[each.format(slug=organization.slug) for each in arguments])

    assert not ApiKey.objects.exists()
    assert Organization.objects.count() == 1
