"""Names of workspaces, masks, quota subjects, recognised secrets."""

import pytest

from connections.connectors.base import Connector, Entry
from connections.connectors.bitbucket_cloud import entrance
from connections.connectors.schema import InvalidFields
from tests.connections.conftest import api_token_entry, token_entry


@pytest.mark.parametrize(
    "text",
    [
        "acme",
        " ACME ",
        "acme/api",
        "bitbucket.org/acme",
        "https://bitbucket.org/acme",
        "https://bitbucket.org/acme/",
        "https://bitbucket.org/acme/api/src/main/README.md?at=x",
        "https://ada@bitbucket.org/acme/api.git",
        "git@bitbucket.org:acme/api.git",
        "ssh://git@bitbucket.org/acme/api.git",
        "https://bitbucket.org/acme/workspace/settings/",
        "https://api.bitbucket.org/2.0/repositories/acme/api",
        "https://api.bitbucket.org/2.0/workspaces/acme",
        "http://127.0.0.1:8080/acme/api",
    ],
)
def test_a_workspace_is_found_in_any_address_of_it(text: str, cloud: Connector) -> None:
    assert cloud.clean_settings({"workspace": text}) == {"workspace": "acme"}


def test_a_uuid_is_a_workspace_too(cloud: Connector) -> None:
    uuid = "{e3138872-5c69-4577-aaab-e9f890fba1a3}"

    assert cloud.clean_settings({"workspace": uuid}) == {"workspace": uuid}
    assert cloud.clean_settings({"workspace": "%7B" + uuid[1:-1] + "%7D"}) == {"workspace": uuid}


@pytest.mark.parametrize(
    "text", ["", "..", "a b", "https://bitbucket.org/", "acme\x00", "ä", "a" * 101, "-x", "a\nb"]
)
def test_what_is_no_workspace_is_refused(text: str, cloud: Connector) -> None:
    with pytest.raises(InvalidFields) as caught:
        cloud.clean_settings({"workspace": text})

    assert list(caught.value.fields) == ["settings.workspace"]


@pytest.mark.parametrize(
    ("secret", "mask"),
    [("ATCTT3xFfGN0abcdef4f1c", "ATCTT•••4f1c"), ("short", "•••"), ("", "•••")],
)
def test_a_mask_shows_kind_and_end(secret: str, mask: str) -> None:
    assert entrance.masked(secret) == mask


def test_requests_are_counted_by_what_bitbucket_counts_by(cloud: Connector) -> None:
    subject = cloud.quota_subject

    assert subject(token_entry("one")) != subject(token_entry("two"))
    assert subject(token_entry("one")) == subject(token_entry("one", "globex"))
    ada = subject(api_token_entry("one", acts_as="{ada}"))
    assert ada == subject(api_token_entry("two", acts_as="{ada}"))
    assert ada != subject(api_token_entry("one", acts_as="{ben}"))
    oauth = [
        Entry(method="oauth2", settings={"consumer": "key"}, secrets={"access_token": token})
        for token in ("one", "two")
    ]
    assert subject(oauth[0]) == subject(oauth[1])
    assert "one" not in subject(token_entry("one"))


def test_an_account_that_is_only_claimed_is_not_counted_for(cloud: Connector) -> None:
    wrong, other = api_token_entry("wrong"), api_token_entry("other")
    proven = api_token_entry("right", acts_as="{ada}")

    subjects = {cloud.quota_subject(entry) for entry in (wrong, other, proven)}

    assert len(subjects) == 3


@pytest.mark.parametrize(
    ("secret", "settings", "method"),
    [
        ("ATCTT3x", {}, "access_token"),
        ("ATCTT3x", {"username": "ada@example.com"}, "access_token"),
        ("ATATT3x", {}, "api_token"),
        ("ATBBx", {"username": "ada"}, "app_password"),
        ("something", {}, "access_token"),
        ("something", {"username": "ada@example.com"}, "api_token"),
    ],
)
def test_a_method_is_recognised(
    secret: str, settings: dict[str, str], method: str, cloud: Connector
) -> None:
    assert cloud.recognise({"token": secret}, settings) == method


def test_a_password_is_of_an_account_even_where_its_name_was_forgotten(cloud: Connector) -> None:
    secrets = {"access_token": "", "password": "anything"}

    assert cloud.recognise(secrets, {}) == "api_token"
