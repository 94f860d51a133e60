"""What pages say of estimates: “about 5,700 requests: 900 now, complete by 20:40”."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connections.forms.schedule import INTERVALS
from connections.models import Connection
from connections.services.schedules import interval
from ingestion.estimates import Allowance, Estimate
from ingestion.selectors.connections import quota_of
from ingestion.selectors.syncs import requests_of_a_pass
from tenants import formats

HOUR = timedelta(hours=1)
TURNS = " Repositories without signs of change take turns in it, each at least once a day."


@dataclass(frozen=True, kw_only=True)
class Told:
    """An estimate in words: of the first sync, and of the schedule that is looked at."""

    first: str
    then: str
    holds: bool
    fits: str  # the fastest schedule that does
    streams: list[tuple[str, str]]


def fastest(estimate: Estimate) -> str:
    """The shortest of the intervals that pages offer which the quota holds, in minutes."""
    fitting = (minutes for minutes in INTERVALS if estimate.fits(int(minutes) / 60))
    return next(fitting, max(INTERVALS, key=int))


def told(
    estimate: Estimate, schedule: Mapping[str, Any], labels: Mapping[str, str], *, timezone: str
) -> Told:
    """What pages say of an estimate beside a schedule."""
    step = interval(schedule, timezone=timezone)
    needs = estimate.again(step / HOUR).total if step else 0
    turns = step is not None and estimate.turn(step / HOUR) is not None
    return Told(
        first=first_sync(estimate),
        then=passes(needs, step, estimate.allowance) + (TURNS if turns else ""),
        holds=step is None or holds(needs, step, estimate.allowance),
        fits=INTERVALS[fastest(estimate)],
        streams=[
            (labels.get(key, key), formats.roughly(requests))
            for key, requests in estimate.first.by_stream.items()
        ],
    )


def first_sync(estimate: Estimate) -> str:
    """The first sync in a sentence: how many requests, how many of them now, until when."""
    first, left = estimate.first, estimate.at_once
    amount = formats.roughly(first.total)
    if estimate.is_range:
        amount = f"{formats.roughly(first.low)} to {_plain(first.high)}"
    now = "all of them now" if left >= first.total else f"{formats.number(left)} now"
    until = formats.clock(estimate.complete_at, estimate.now)
    amount = amount[0].upper() + amount[1:]
    return f"{amount} requests: {now}, complete by {until} with {_tokens(estimate.allowance)}."


def passes(needs: int, step: timedelta | None, allowance: Allowance) -> str:
    """What each sync of a schedule takes, and how long where that is more than is allowed."""
    if step is None:
        return "After that, syncs start only when somebody starts them."
    allowed = allowance.scheduled * (step / HOUR)
    who = "this token allows" if allowance.credentials == 1 else "these tokens allow"
    if holds(needs, step, allowance):
        return (
            f"{every(step)} takes {formats.roughly(needs)} requests;"
            f" {who} {formats.number(round(allowed))}."
        )
    lasts = timedelta(hours=needs / allowance.scheduled)
    return (
        f"{every(step)} needs {_plain(needs)} requests, {who} {formats.number(round(allowed))}:"
        f" each pass takes about {_hours(lasts)}."
    )


def holds(needs: int, step: timedelta, allowance: Allowance) -> bool:
    """Whether the quota holds so many requests in each interval."""
    return needs <= allowance.scheduled * (step / HOUR)


def schedule_sentence(connection: Connection) -> dict[str, Any] | None:
    """What the schedule of a connection takes by its last syncs. None where there are none.

    `settings.SCHEDULE_SENTENCE` names this.
    """
    step = interval(connection.schedule, timezone=connection.organization.timezone)
    needs, quota = requests_of_a_pass(connection), quota_of(connection)
    if step is None or needs is None or quota is None:
        return None
    allowance = Allowance(limit=quota.limit, left=quota.left, credentials=quota.windows)
    return {"text": passes(needs, step, allowance), "holds": holds(needs, step, allowance)}


def every(step: timedelta) -> str:
    """“Every 15 minutes”, “Every hour”, “Every day”."""
    words = {HOUR: "hour", timedelta(days=1): "day", timedelta(days=7): "week"}
    return f"Every {words.get(step) or formats.duration(step)}"


def _tokens(allowance: Allowance) -> str:
    count = allowance.credentials
    return "one token" if count == 1 else f"{formats.word(count)} tokens"


def _plain(value: int) -> str:
    return formats.roughly(value).removeprefix("about ")


def _hours(lasts: timedelta) -> str:
    """To the hour where it is several."""
    if lasts >= 2 * HOUR:
        return formats.duration(timedelta(hours=round(lasts / HOUR)))
    return formats.duration(lasts)
