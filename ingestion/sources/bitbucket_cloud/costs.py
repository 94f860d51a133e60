"""What each stream of Bitbucket Cloud costs, by the `size` of its lists and a page of its feed."""

from math import ceil, exp, floor

from connections.connectors.bitbucket_cloud.client import (
    PAGE,
    PULL_REQUEST_PAGE,
)
from ingestion.sources.costs import Cost, Measure, Plan, Sizes

OF_PULL_REQUESTS = ("pull_requests", "pull_request_activity", "pull_request_comments")
OF_PIPELINES = ("pipelines", "pipeline_steps")
DAY = 24.0  # hours
RECENTLY = 7 * DAY
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


def _looks_back(hours: float) -> float:
    """Which share of visits so many hours apart is the first after a day has gone by."""
    return 1 / ceil(DAY / hours)


def _again_pull_requests(sizes: Sizes, plan: Plan, hours: float) -> float:
    open_ones = pages(sizes["open"], PULL_REQUEST_PAGE) * _looks_back(hours)
    return 1 + _changes(sizes, hours) / (PULL_REQUEST_PAGE - 1) + open_ones


def _again_activity(sizes: Sizes, plan: Plan, hours: float) -> float:
    changed = _changes(sizes, hours)
    often = max(_any(changed), _looks_back(hours) * _any(sizes["pull_requests"]))
    return often * (1 + changed * _entries(sizes) / PULL_REQUEST_PAGE)


def _again_comments(sizes: Sizes, plan: Plan, hours: float) -> float:
    share = sizes["discussed"] / sizes["pull_requests"] if sizes["pull_requests"] else 0.0
    return _changes(sizes, hours) * share


def _again_pipelines(sizes: Sizes, plan: Plan, hours: float) -> float:
    a_day = sizes["pipelines_a_day"]
    look_back = min(sizes["pipelines"], a_day * LOOK_BACK) / PAGE
    return 1 + a_day * hours / DAY / PAGE + look_back * _looks_back(hours)


def moves(sizes: Sizes) -> float | None:
    """An open pull request is a sign, and one that changed within a week."""
    if "open" not in sizes:
        return None
    return 1.0 if sizes["open"] >= 1 else _any(_changes(sizes, RECENTLY))


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
