"""Bitbucket tells, for good, one record more than it lists: what it lists is gone on with."""

from typing import Any

import orjson
import pytest

from ingestion.models import Person, PullRequest, Repository, State
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.test_short_listings import error_of
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=6, pull_requests=2, pipelines=2, people=12)


def listing(values: list[Any], size: int) -> str:
    return orjson.dumps({"values": values, "size": size}).decode()


def member(uuid: str) -> dict[str, Any]:
    return {"user": {"type": "user", "uuid": uuid, "display_name": "Somebody"}}


def repository(one: Repository) -> dict[str, Any]:
    return {
        "uuid": one.uuid,
        "name": one.name,
        "slug": one.slug,
        "full_name": one.full_name,
        "created_on": "2024-01-01T00:00:00+00:00",
        "updated_on": "2024-01-01T00:00:00+00:00",
    }


@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_repositories_that_are_listed_are_visited(
    copied: Copied, sandbox: Sandbox, mode: str
) -> None:
    copied.sync()
    here = list(Repository.objects.order_by("pk"))
    body = listing([repository(one) for one in here if one.slug != "web"], len(here))
    sandbox.faults.add(r"/repositories/[^/]*\?", status=200, body=body)
    sandbox.change.pull_request("acme", "api", 1, title="Another title")

    sync = copied.sync(mode)

    assert sync.state == State.PARTIAL
    assert "ended after 5 of 6" in error_of(sync, "repositories")["message"]
    assert PullRequest.objects.get(repository__slug="api", number=1).title == "Another title"
    assert not Repository.objects.exclude(removed_at=None).exists()


def test_nobody_has_left(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    uuids = list(Person.objects.filter(is_member=True).values_list("uuid", flat=True))
    body = listing([*map(member, uuids[1:]), member("{new}")], len(uuids) + 1)
    sandbox.faults.add(r"/members", status=200, body=body)

    sync = copied.sync(streams=["people"])

    assert sync.state == State.PARTIAL
    assert "ended after 12 of 13" in error_of(sync, "people")["message"]
    assert Person.objects.filter(is_member=True).count() == 13


def test_list_that_is_whole_at_once_again_is_complete(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    begun = len(sandbox.requests)
    sandbox.faults.add(r"/members", status=200, times=1, body=listing([member("{new}")], 12))

    sync = copied.sync(streams=["people"])

    assert sync.state == State.SUCCEEDED, sync.error
    assert sum("/members" in request.path for request in sandbox.requests[begun:]) == 2


def test_second_list_that_is_shorter_is_not_believed(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()
    sandbox.faults.add(r"/members", status=200, times=1, body=listing([member("{new}")], 12))
    sandbox.faults.add(r"/members", status=200, body=listing([], 0))

    sync = copied.sync(streams=["people"])

    assert sync.state == State.PARTIAL
    assert error_of(sync, "people")["code"] == "unexpected_response"
    assert Person.objects.filter(is_member=True).count() == 13
