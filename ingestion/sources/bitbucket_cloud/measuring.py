"""Measures of a repository from which the costs of its streams follow: `size` of its lists, a page
of its feed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connections.connectors.bitbucket_cloud.client import (
    BitbucketCloudClient,
    one,
)
from connections.transport.answers import Answer
from ingestion.sources.bitbucket_cloud.answers import clock_of, has_next, size_of, values_of
from ingestion.sources.bitbucket_cloud.feed import feed_rows
from ingestion.sources.bitbucket_cloud.pull_requests import ALL_STATES
from ingestion.sources.bitbucket_cloud.read import Unreadable, moment
from ingestion.sources.rows import EventRow


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
    return len(moments) / max(days, 1 / 24)  # at least an hour


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
