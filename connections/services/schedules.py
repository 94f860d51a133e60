"""When a connection is synced by itself: off, every so many minutes, or by cron."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.base import Connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection
from tenants.services.fields import time_zones

SHORTEST, LONGEST = 5, 7 * 24 * 60  # minutes
SEVERAL = 50  # runs of which the mean interval is taken
FIELDS = 5  # of a cron expression: a sixth would be seconds
LESS_OFTEN = "less_often"  # minutes from one reading of a stream to the next, by its name
SLACK = timedelta(minutes=1)  # so that a tick which comes early puts nothing off
KEYS = {
    "off": {"kind"},
    "every": {"kind", "minutes", LESS_OFTEN},
    "cron": {"kind", "cron", "timezone", LESS_OFTEN},
}


def clean_schedule(schedule: Mapping[str, Any], kind_of: Connector) -> dict[str, Any]:
    """A schedule as it is kept. Raises InvalidFields with names below `schedule`."""
    kind = schedule.get("kind")
    if not isinstance(kind, str) or kind not in KEYS:
        raise InvalidFields({"schedule.kind": "One of off, every, cron."})
    every = set[str]().union(*KEYS.values())
    unknown = {name for name, value in schedule.items() if value is not None or name not in every}
    unknown -= KEYS[kind]
    if unknown:
        raise InvalidFields(
            {f"schedule.{name}": f"This does not belong to {kind}." for name in sorted(unknown)}
        )
    less_often = _less_often(schedule.get(LESS_OFTEN), kind_of)
    if kind == "every":
        return {"kind": kind, "minutes": _minutes(schedule.get("minutes")), **less_often}
    if kind == "cron":
        return {"kind": kind, **_cron(schedule), **less_often}
    return {"kind": "off"}


def own_intervals(schedule: Mapping[str, Any], kind_of: Connector) -> dict[str, timedelta]:
    """How far apart the streams are read that are not read by each scheduled sync."""
    given = schedule.get(LESS_OFTEN) or {}
    minutes = {one.key: given.get(one.key, one.interval) for one in kind_of.streams}
    return {key: timedelta(minutes=value) for key, value in minutes.items() if value}


def streams_due(connection: Connection, streams: Sequence[str], moment: datetime) -> list[str]:
    """Those of these streams that a scheduled sync reads now, less what needs one that waits."""
    kind_of, out = connector_of(connection.connector), set[str]()
    own = own_intervals(connection.schedule, kind_of)
    for stream in kind_of.streams:
        begun = connection.streams_read.get(stream.key)
        every = own.get(stream.key)
        waits = every and begun and moment - datetime.fromisoformat(begun) < every - SLACK
        if waits or out.intersection(stream.needs):
            out.add(stream.key)
    return [key for key in streams if key not in out]


def schedule_schema(kind_of: Connector) -> dict[str, Any]:
    """JSON Schema of a schedule, as `clean_schedule` takes it."""
    apart = {"type": "integer", "minimum": 0, "maximum": LONGEST}
    slow = [one.key for one in kind_of.streams if one.interval is not None]
    takes: dict[str, Any] = {
        "minutes": {"type": "integer", "minimum": SHORTEST, "maximum": LONGEST},
        "cron": {"type": "string", "maxLength": 100, "description": "Five fields: 0 6 * * 1-5"},
        "timezone": {"type": ["string", "null"], "description": "Such as Europe/Vienna; UTC."},
        LESS_OFTEN: {
            "type": ["object", "null"],
            "properties": dict.fromkeys(slow, apart),
            "additionalProperties": False,
            "description": "Minutes from one reading of a stream to the next.",
        },
    }
    kinds = [
        {
            "type": "object",
            "properties": {
                name: {"const": kind} if name == "kind" else takes[name] for name in sorted(names)
            },
            "required": sorted(names - {"timezone", LESS_OFTEN}),
            "additionalProperties": False,
        }
        for kind, names in KEYS.items()
    ]
    return {"oneOf": kinds}


def next_run(
    schedule: Mapping[str, Any], after: datetime | None = None, timezone: str = "UTC"
) -> datetime | None:
    """The first run after a moment, in UTC; None for a schedule that is off.

    `timezone` holds where the schedule names none itself.
    """
    return next(iter(_runs(schedule, after or now(), timezone, 1)), None)


def next_runs(
    schedule: Mapping[str, Any],
    count: int = 3,
    *,
    after: datetime | None = None,
    timezone: str = "UTC",
) -> list[datetime]:
    """The next runs, for pages."""
    return _runs(schedule, after or now(), timezone, count)


def coming_runs(connection: Connection, count: int = 3) -> list[datetime]:
    """The runs that will happen: the one that is planned, and those that follow it."""
    first, zone = run_after(connection, now()), connection.organization.timezone
    if connection.next_sync_at is None or first is None:
        return []
    return [first, *next_runs(connection.schedule, count - 1, after=first, timezone=zone)]


def run_after(connection: Connection, moment: datetime) -> datetime | None:
    """The planned run; where a moment has passed it, the first one behind, in step with it."""
    planned, schedule = connection.next_sync_at, connection.schedule
    if planned is not None and planned > moment:
        return planned
    if planned is not None and schedule.get("kind") == "every":
        step = timedelta(minutes=schedule["minutes"])
        return planned + step * ((moment - planned) // step + 1)
    return next_run(schedule, moment, connection.organization.timezone)


def interval(schedule: Mapping[str, Any], *, timezone: str) -> timedelta | None:
    """How far apart runs are, in the mean of some weeks; None for a schedule that is off."""
    if schedule.get("kind") == "every":
        return timedelta(minutes=schedule["minutes"])
    runs = _runs(schedule, now(), timezone, SEVERAL)
    if len(runs) < 2:
        return None
    return (runs[-1] - runs[0]) / (len(runs) - 1)


def _runs(
    schedule: Mapping[str, Any], after: datetime, timezone: str, count: int
) -> list[datetime]:
    if schedule.get("kind") == "every":
        step = timedelta(minutes=schedule["minutes"])
        return [after + step * number for number in range(1, count + 1)]
    if schedule.get("kind") != "cron":
        return []
    zone = ZoneInfo(schedule.get("timezone") or timezone)
    runs = (run.astimezone(UTC) for run in CronSim(schedule["cron"], after.astimezone(zone)))
    # In the hour that a clock shows twice, what ran in the first does not run in the second.
    return list(islice((run for run in runs if run > after), count))


def _less_often(value: Any, kind_of: Connector) -> dict[str, Any]:
    """Intervals of streams, without those that are so anyway."""
    usual = {one.key: one.interval for one in kind_of.streams if one.interval is not None}
    given = {} if value is None else value
    if not isinstance(given, dict) or not set(given) <= set(usual):
        told = f"Minutes by name of a stream, of {', '.join(usual)}."
        raise InvalidFields({f"schedule.{LESS_OFTEN}": told})
    for name, minutes in given.items():
        is_number = isinstance(minutes, int) and not isinstance(minutes, bool)
        if not is_number or not 0 <= minutes <= LONGEST:
            told = f"A whole number from 0 to {LONGEST}."
            raise InvalidFields({f"schedule.{LESS_OFTEN}.{name}": told})
    changed = {name: minutes for name, minutes in given.items() if minutes != usual[name]}
    return {LESS_OFTEN: changed} if changed else {}


def _minutes(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not SHORTEST <= value <= LONGEST:
        raise InvalidFields({"schedule.minutes": f"A whole number from {SHORTEST} to {LONGEST}."})
    return value


def _cron(schedule: Mapping[str, Any]) -> dict[str, str]:
    expression, zone = schedule.get("cron"), _timezone(schedule.get("timezone"))
    if not isinstance(expression, str) or len(expression) > 100:
        raise InvalidFields({"schedule.cron": "A cron expression such as 0 6 * * 1-5."})
    if len(expression.split()) != FIELDS:
        told = f"{FIELDS} fields are needed, such as 0 6 * * 1-5."
        raise InvalidFields({"schedule.cron": told})
    try:
        runs = CronSim(expression, now().astimezone(ZoneInfo(zone or "UTC")))
    except CronSimError as error:
        part = str(error).removeprefix("Bad ").replace("-", " ")
        raise InvalidFields({"schedule.cron": f"The {part} does not fit."}) from None
    _check_intervals(runs)
    return {"cron": expression, **({"timezone": zone} if zone else {})}


def _timezone(name: Any) -> str | None:
    """The zone that is named; without one, the organization's holds."""
    if name is None:
        return None
    if not isinstance(name, str) or name not in time_zones():
        raise InvalidFields({"schedule.timezone": "A name such as Europe/Vienna."})
    return name


def _check_intervals(runs: Iterator[datetime]) -> None:
    """Look at a week of runs: what is too frequent shows within it."""
    first = next(runs, None)
    if first is None:
        raise InvalidFields({"schedule.cron": "This never comes."})
    week = takewhile(lambda run: run - first <= timedelta(days=7), runs)
    for earlier, later in pairwise(chain([first], week)):
        if later - earlier < timedelta(minutes=SHORTEST):
            raise InvalidFields({"schedule.cron": f"At most every {SHORTEST} minutes."})
