"""Banners of endpoints that end: declared ones too, and several as one."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test.utils import override_settings

from connections.connectors import connectors
from connections.connectors.bitbucket_cloud import BitbucketCloud
from connections.transport.removals import Removal, announced
from ingestion.words.endings import banners
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db
MEMBERS = "/workspaces/{workspace}/members"
WHY = "https://developer.atlassian.com/cloud/bitbucket/changelog/"


class Announcing(BitbucketCloud):
    """Bitbucket Cloud, as if its changelog announced the end of the list of members."""

    endpoints = tuple(
        replace(one, removal=Removal(change="CHANGE-1", on="2077-01-31", url=WHY))
        if one.path == MEMBERS
        else one
        for one in BitbucketCloud.endpoints
    )


@pytest.fixture
def _announcing() -> Iterator[None]:
    connectors.cache_clear()
    with override_settings(CONNECTORS=[f"{__name__}.Announcing"]):
        yield
    connectors.cache_clear()


@pytest.mark.usefixtures("_announcing")
def test_what_the_changelog_announces_is_one_banner_for_all_that_need_it() -> None:
    both = ConnectionFactory.create_batch(2)
    without = ConnectionFactory.create(selection={"streams": ["pull_requests"]})

    (banner,) = banners([*both, without])

    assert banner.title == "Bitbucket removes on 31 Jan 2077 what is needed for people"
    assert banner.effect == (
        "Before 31 Jan 2077 nothing changes. Then nothing new is read of people, "
        "unless Tributary is updated in time."
    )
    assert banner.connections == both
    assert (banner.removal.change, banner.removal.url) == ("CHANGE-1", WHY)


@pytest.mark.parametrize(
    ("removal", "path", "title"),
    [
        ({"on": "2026-04-14", "is_over": True}, MEMBERS, "removed on 14 Apr 2026 what is needed"),
        ({"is_over": True}, MEMBERS, "has removed what is needed for people"),
        ({}, MEMBERS, "is going to remove what is needed for people"),
        ({"on": "2077-01-31", "is_over": True}, MEMBERS, "switches off at times, and removes on"),
        ({"is_over": True}, "/workspaces/{workspace}", "needed for the connection itself"),
    ],
)
def test_titles(removal: dict[str, object], path: str, title: str) -> None:
    told = {"method": "GET", "path": path, **removal}

    (banner,) = banners([ConnectionFactory.create(removals=[told])])

    assert title in banner.title


@pytest.mark.parametrize(
    ("headers", "removal"),
    [
        ({}, None),
        ({"Deprecation": "@1688169599"}, Removal()),
        ({"Sunset": "not a date"}, Removal()),
        ({"Sunset": "Wed, 11 Nov 2076 23:59:59 GMT"}, Removal(on="2076-11-11")),
        (
            {"Deprecation": "true", "Link": '<https://a.b/c>; rel="deprecation"; type="x"'},
            Removal(url="https://a.b/c"),
        ),
        ({"Deprecation": "true", "Link": "<javascript:x>; rel=sunset"}, Removal()),
        ({"Link": '<https://a.b/c>; rel="sunset"'}, None),
    ],
)
def test_headers_that_announce(headers: dict[str, str], removal: Removal | None) -> None:
    assert announced(headers) == removal
