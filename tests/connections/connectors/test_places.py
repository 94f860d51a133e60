"""Workspaces and repositories out of what people paste. The schema takes what the server takes."""

import re

import pytest

from connections.connectors.base import Connector
from connections.connectors.bitbucket_cloud.places import (
    REPOSITORY,
    Place,
    place_of,
    repository_name,
    workspace_name,
)
from connections.connectors.schema import InvalidFields
from connections.services.entering import read_given

UUID = "{554452cb-4ac2-4c38-af71-036518f2fdf0}"


@pytest.mark.parametrize(
    ("text", "workspace", "repository"),
    [
        ("acme", "acme", ""),
        ("Acme/Api", "acme", "Api"),
        ("acme//api.git", "acme", "api"),
        ("https://bitbucket.org/acme/api/src/main/?at=1#top", "acme", "api"),
        ("https://bitbucket.org/acme/workspace/projects/CORE", "acme", ""),
        ("https://ada@bitbucket.org/acme/api.git", "acme", "api"),
        ("ssh://git@bitbucket.org/acme/api.git", "acme", "api"),
        ("git@bitbucket.org:acme/api.git", "acme", "api"),
        ("http://127.0.0.1:8551/2.0/repositories/acme/api/pullrequests", "acme", "api"),
        (f"acme/{UUID}", "acme", UUID),
        ("bitbucket.org/acme/%7B554452cb-4ac2-4c38-af71-036518f2fdf0%7D", "acme", UUID),
        ("acme/..", "acme", ""),
        ("https://bitbucket.org/", "", ""),
        ("two words", "", ""),
    ],
)
def test_addresses(text: str, workspace: str, repository: str) -> None:
    assert place_of(text) == Place(workspace, repository)
    assert workspace_name(text) == workspace
    if "/" in text:
        assert repository_name(text) == repository
        assert bool(re.match(REPOSITORY, text)) is bool(repository)


@pytest.mark.parametrize("name", ["api", "my.repo", "_x-1", UUID])
def test_a_bare_name_of_a_repository(name: str) -> None:
    assert repository_name(name) == name


@pytest.mark.parametrize("typed", ["two words", "..", "bitbucket.org/acme", "x" * 101, "acme/"])
def test_what_is_no_repository_is_refused_by_the_schema(cloud: Connector, typed: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        read_given(
            cloud,
            method="access_token",
            settings={"repository": typed},
            secrets={"api_token": "ATCTTsecret"},
        )

    assert list(caught.value.fields) == ["settings.repository"]
    assert caught.value.fields["settings.repository"].startswith("This is no repository.")
