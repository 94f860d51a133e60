"""What each stream of Bitbucket Cloud costs, by the `size` of its lists and a page of its feed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil, exp, floor
from typing import Any

from connections.connectors.bitbucket_cloud.client import (
    PAGE,
    PULL_REQUEST_PAGE,
    BitbucketCloudClient,
    one,
)
from connections.transport.answers import Answer
from ingestion.sources.bitbucket_cloud.answers import clock_of, has_next, size_of, values_of
from ingestion.sources.bitbucket_cloud.feed import feed_rows
from ingestion.sources.bitbucket_cloud.pull_requests import ALL_STATES
from ingestion.sources.bitbucket_cloud.read import Unreadable, moment
from ingestion.sources.costs import Cost, Measure, Plan, Sizes
from ingestion.sources.rows import EventRow

OF_PULL_REQUESTS = ("pull_requests", "pull_request_activity", "pull_request_comments")
OF_PIPELINES = ("pipelines", "pipeline_steps")
DAY = 24.0  # hours
LOOK_BACK = 14  # days of pipelines that are read once a day

MEASURES = (
    Measure(name="repositories", streams=("repositories",), of_repository=False),
    Measure(name="members", streams=("people",), of_repository=False),
    Measure(name="pull_requests", streams=OF_PULL_REQUESTS, weight=2),
    Measure(name="pipelines", streams=OF_PIPELINES, weight=3),
    Measure(name="deployments", streams=("deployments",)),
    Measure(name="commits", streams=("commits",), requests=3),
    Measure(name="feed", streams=("pull_request_activity",), weight=3, requests=2, is_shared=True),
)


def measure(
    client: BitbucketCloudClient,
    name: str,
    repository: str,
    since: datetime | None,
    notes: dict[str, Any],
) -> Mapping[str, float]:
    """The sizes that a measure finds. Raises ProviderError."""
    if name == "repositories":
        return {"repositories": size_of(next(client.repositories(fields="size"))) or 0}
    if name == "members":
        return {"members": size_of(next(client.members())) or 0}
    if name == "pull_requests":
        return _pull_requests(client, repository, since, notes)
    if name == "pipelines":
        return _pipelines(client, repository, since)
    if name == "deployments":
        return {"deployments": size_of(next(client.deployments(repository))) or 0}
    if name == "commits":
        return _commits(client, repository, since)
    return _feed(client, repository, notes)


def _pull_requests(
    client: BitbucketCloudClient, repository: str, since: datetime | None, notes: dict[str, Any]
) -> Mapping[str, float]:
    """How many there are, and how many comments and approvals the latest of them have."""
    query = f"updated_on >= {since.isoformat()} AND {ALL_STATES}" if since else ALL_STATES
    answer = next(client.pull_requests(repository, q=query, sort="-updated_on"))
    values = values_of(answer)
    count = size_of(answer) or len(values)
    each = count / len(values) if values else 0.0
    notes["opened"] = [_moment(one.get("created_on")) for one in values]
    old = [one for one in values if since and _is_before(one.get("created_on"), since)]
    return {
        "pull_requests": count,
        "opened_before": each * len(old),
        "discussed": each * sum(bool(one.get("comment_count")) for one in values),
        "comments": each * sum(_number(one.get("comment_count")) for one in values),
        "approvals": each * sum(_approvals(one) for one in values),
        "open": each * sum(one.get("state") == "OPEN" for one in values),
        "changed_a_day": _a_day(values, "updated_on", clock_of(answer)),
    }


def _pipelines(
    client: BitbucketCloudClient, repository: str, since: datetime | None
) -> Mapping[str, float]:
    """How many there are in all, and about how many of them began in the history window."""
    answer = client.pipelines(repository)
    values = values_of(answer)
    count = size_of(answer) or len(values)
    a_day = _a_day(values, "created_on", clock_of(answer))
    inside_of = float(count)
    if since is not None:
        young = [one for one in values if not _is_before(one.get("created_on"), since)]
        days = (clock_of(answer) - since).total_seconds() / 86_400
        inside_of = len(young) if len(young) < len(values) else min(count, a_day * days)
    return {"pipelines": count, "pipelines_inside": inside_of, "pipelines_a_day": a_day}


def _commits(
    client: BitbucketCloudClient, repository: str, since: datetime | None
) -> Mapping[str, float]:
    """How many branches there are, and about how many commits: nobody tells, but how old the
    hundred latest are, and how old the repository is.
    """
    branches = size_of(next(client.branches(repository))) or 0
    if not branches:
        return {"branches": 0}
    answer = next(client.commits(repository))
    values, now = values_of(answer), clock_of(answer)
    a_day = _a_day(values, "date", now)
    begun = _moment(one(client.repository(repository)).get("created_on"))
    days = (now - max(filter(None, (begun, since)), default=now)).total_seconds() / 86_400
    count = max(len(values), a_day * days) if has_next(answer) else len(values)
    return {"branches": branches, "commits": count, "commits_a_day": a_day}


def _feed(
    client: BitbucketCloudClient, repository: str, notes: dict[str, Any]
) -> Mapping[str, float]:
    """How many updates there are to a pull request, by the second page of the feed.

    As many as were opened within its time, for as much is missing of those that began before as is
    there of those that go on after. On the first page everything ends now.
    """
    answers = client.activity(repository)
    top = _updates(next(answers))
    second = next(answers, None)
    opened = [moment for moment in notes.get("opened", ()) if moment]
    if second is None:
        return {"updates_seen": len(top), "openings_seen": len(opened)}
    below = _updates(second)
    if not top or not below:
        return {}
    begin, end = min(below), min(top)
    return {
        "updates_seen": len(below),
        "openings_seen": sum(begin <= moment < end for moment in opened),
    }


def _updates(answer: Answer) -> list[datetime]:
    rows = (row for row in feed_rows(values_of(answer)) if isinstance(row, EventRow))
    return [row.happened_at for row in rows if row.kind == "update"]


def _a_day(values: list[Any], name: str, now: datetime) -> float:
    """How many of these there are in a day, by how long ago the last of them was."""
    moments = [found for found in (_moment(one.get(name)) for one in values) if found]
    if not moments:
        return 0.0
    days = (now - min(moments)) / timedelta(days=1)
    return len(moments) / max(days, 1 / DAY)


def _moment(value: Any) -> datetime | None:
    try:
        return moment(value)
    except Unreadable:
        return None


def _is_before(value: Any, since: datetime) -> bool:
    found = _moment(value)
    return found is not None and found < since


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _approvals(value: Any) -> int:
    people = value.get("participants")
    return sum(bool(one.get("approved")) for one in people) if isinstance(people, list) else 0


def pages(count: float, length: int) -> int:
    """Pages of a list: one even where it is empty."""
    return max(1, ceil(count / length))


def _entries(sizes: Sizes) -> float:
    """Entries of the feed for a pull request."""
    if not sizes["pull_requests"]:
        return 0.0
    updates = sizes["updates_seen"] / max(1.0, sizes["openings_seen"])
    others = (sizes["comments"] + sizes["approvals"]) / sizes["pull_requests"]
    return updates + others


def _first_activity(sizes: Sizes, plan: Plan) -> float:
    count, old = sizes["pull_requests"], sizes["opened_before"]
    if count < 0.5:
        return 0.0
    # Of one that was opened before the window, the feed shows the end; its own list shows all.
    entries = _entries(sizes) * (count - old / 2)
    if plan.since is None:
        return pages(entries, PULL_REQUEST_PAGE)
    return floor(entries / PULL_REQUEST_PAGE) + 2 + old


def _first_comments(sizes: Sizes, plan: Plan) -> float:
    """The feed brings them; without it each pull request that has some is asked for."""
    return 0.0 if "pull_request_activity" in plan.streams else sizes["discussed"]


def _first_pull_requests(sizes: Sizes, plan: Plan) -> float:
    """Each page begins with the last row of the one before."""
    more = max(0.0, sizes["pull_requests"] - PULL_REQUEST_PAGE)
    return 1 + ceil(more / (PULL_REQUEST_PAGE - 1))


def _first_pipelines(sizes: Sizes, plan: Plan) -> float:
    whole = floor(sizes["pipelines"] / PAGE) + 1  # until a page that is not full
    return min(whole, ceil(sizes["pipelines_inside"] / PAGE) + 1)


def _deployments(sizes: Sizes) -> float:
    """All of them each time, and their environments before."""
    return 1 + pages(sizes["deployments"], PAGE)


def _first_commits(sizes: Sizes, plan: Plan) -> float:
    """The tips of all branches, then what they lead to: with a window, a page further than that."""
    older = plan.since is not None and sizes["commits"] >= PAGE
    return pages(sizes["branches"], PAGE) + ceil(_commits_of(sizes) / PAGE) + older


def _commits_of(sizes: Sizes) -> float:
    """About how many commits there are: as many to a pull request as lately, where those are known;
    a repository is mostly older than what is in it.
    """
    if not sizes["changed_a_day"] or sizes["commits"] <= PAGE:
        return sizes["commits"]
    to_each = sizes["commits_a_day"] / sizes["changed_a_day"]
    return min(sizes["commits"], max(PAGE + 1, to_each * sizes["pull_requests"]))


def _again_commits(sizes: Sizes, plan: Plan, hours: float) -> float:
    new = sizes["commits_a_day"] * hours / DAY
    return pages(sizes["branches"], PAGE) + _any(new) + floor(new / PAGE)


def _changes(sizes: Sizes, hours: float) -> float:
    """Pull requests that change in so many hours, none of them twice."""
    return min(sizes["pull_requests"], sizes["changed_a_day"] * hours / DAY)


def _any(count: float) -> float:
    """How likely it is that there is any, where so many are expected."""
    return 1 - exp(-count)


def _again_pull_requests(sizes: Sizes, plan: Plan, hours: float) -> float:
    open_ones = pages(sizes["open"], PULL_REQUEST_PAGE) * min(1.0, hours / DAY)
    return 1 + _changes(sizes, hours) / (PULL_REQUEST_PAGE - 1) + open_ones


def _again_activity(sizes: Sizes, plan: Plan, hours: float) -> float:
    changed = _changes(sizes, hours)
    often = max(_any(changed), min(1.0, hours / DAY) * _any(sizes["pull_requests"]))
    return often * (1 + changed * _entries(sizes) / PULL_REQUEST_PAGE)


def _again_comments(sizes: Sizes, plan: Plan, hours: float) -> float:
    share = sizes["discussed"] / sizes["pull_requests"] if sizes["pull_requests"] else 0.0
    return _changes(sizes, hours) * share


def _again_pipelines(sizes: Sizes, plan: Plan, hours: float) -> float:
    a_day = sizes["pipelines_a_day"]
    look_back = min(sizes["pipelines"], a_day * LOOK_BACK) / PAGE
    return 1 + a_day * hours / DAY / PAGE + look_back * min(1.0, hours / DAY)


COSTS = (
    Cost(
        stream="repositories",
        of_repository=False,
        first=lambda sizes, plan: pages(sizes["repositories"], PAGE),
        again=lambda sizes, plan, hours: pages(sizes["repositories"], PAGE),
    ),
    Cost(
        stream="people",
        of_repository=False,
        first=lambda sizes, plan: pages(sizes["members"], PAGE),
        again=lambda sizes, plan, hours: pages(sizes["members"], PAGE),
    ),
    Cost(stream="pull_requests", first=_first_pull_requests, again=_again_pull_requests),
    Cost(stream="pull_request_activity", first=_first_activity, again=_again_activity),
    Cost(stream="pull_request_comments", first=_first_comments, again=_again_comments),
    Cost(stream="pipelines", first=_first_pipelines, again=_again_pipelines),
    Cost(
        stream="pipeline_steps",
        first=lambda sizes, plan: sizes["pipelines_inside"],
        again=lambda sizes, plan, hours: sizes["pipelines_a_day"] * hours / DAY,
    ),
    Cost(
        stream="deployments",
        first=lambda sizes, plan: _deployments(sizes),
        again=lambda sizes, plan, hours: _deployments(sizes),
    ),
    Cost(stream="commits", first=_first_commits, again=_again_commits),
)
