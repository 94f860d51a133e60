"""When syncs start by themselves: what is shown is what happens, over both changes of the clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from connections.connectors import connector
from connections.connectors.schema import InvalidFields
from connections.models import Connection
from connections.services.schedules import clean_schedule, interval, next_run, next_runs, run_after
from tenants.models import Organization

VIENNA, NEW_YORK = "Europe/Vienna", "America/New_York"


def local(day: str, time: str, zone: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize("minutes", [0, 40, 59])
@pytest.mark.parametrize(
    ("zone", "before", "cron", "times"),
    [
        (VIENNA, "2026-10-23", "30 2 * * *", ["02:30 24", "02:30 25", "02:30 26", "02:30 27"]),
        (VIENNA, "2026-03-27", "30 2 * * *", ["02:30 28", "03:00 29", "02:30 30", "02:30 31"]),
        (NEW_YORK, "2026-10-30", "30 1 * * *", ["01:30 31", "01:30 01", "01:30 02", "01:30 03"]),
        (NEW_YORK, "2026-03-06", "30 2 * * *", ["02:30 07", "03:00 08", "02:30 09", "02:30 10"]),
    ],
)
def test_over_a_clock_change_a_set_time_runs_once_and_as_was_shown(
    zone: str, before: str, cron: str, times: list[str], minutes: int
) -> None:
    """Also where each sync lasts so long that it ends in the hour which comes twice."""
    schedule = {"kind": "cron", "cron": cron}
    start = local(before, "12:00", zone)
    shown = next_runs(schedule, 4, after=start, timezone=zone)
    happened, moment = [], start.astimezone(UTC)
    for _ in range(4):
        run = next_run(schedule, moment, zone)
        assert run
        happened.append(run)
        moment = run + timedelta(minutes=minutes)

    assert [f"{run.astimezone(ZoneInfo(zone)):%H:%M %d}" for run in shown] == times
    assert happened == shown


def test_each_hour_runs_in_both_of_those_that_a_clock_shows_alike() -> None:
    schedule = {"kind": "cron", "cron": "30 * * * *", "timezone": VIENNA}

    runs = next_runs(schedule, 3, after=local("2026-10-25", "01:45", VIENNA))

    assert [b - a for a, b in pairwise(runs)] == [timedelta(hours=1)] * 2


@pytest.mark.parametrize(
    ("planned", "moment", "expected"),
    [("10:30", "10:07", "10:30"), ("10:30", "10:30", "11:30"), ("10:30", "13:02", "13:30")],
)
def test_an_interval_keeps_its_step(planned: str, moment: str, expected: str) -> None:
    connection = Connection(
        organization=Organization(timezone="UTC"),
        schedule={"kind": "every", "minutes": 60},
        next_sync_at=local("2026-11-26", planned, "UTC"),
    )

    found = run_after(connection, local("2026-11-26", moment, "UTC"))

    assert found == local("2026-11-26", expected, "UTC")


def test_a_cron_that_names_no_zone_runs_by_the_clock_of_the_organization() -> None:
    schedule = clean_schedule({"kind": "cron", "cron": "0 6 * * *"}, connector("bitbucket_cloud"))

    run = next_run(schedule, local("2026-11-26", "12:00", "UTC"), VIENNA)

    assert run == local("2026-11-27", "06:00", VIENNA)


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ({"kind": "off"}, None),
        ({"kind": "every", "minutes": 90}, 1.5),
        ({"kind": "cron", "cron": "0 6,18 * * *"}, 12),
    ],
)
def test_how_far_apart_runs_are(schedule: dict[str, object], hours: float | None) -> None:
    expected = None if hours is None else timedelta(hours=hours)

    assert interval(schedule, timezone="UTC") == expected


@pytest.mark.parametrize(
    ("given", "kept", "wrong"),
    [
        ({"people": 0}, {"people": 0}, None),
        ({"people": 1440}, None, None),
        ({"pipeline_steps": 360}, {"pipeline_steps": 360}, None),
        ({"pull_requests": 60}, None, "schedule.less_often"),
        ({"people": -1}, None, "schedule.less_often.people"),
        ({"people": True}, None, "schedule.less_often.people"),
        ([], None, "schedule.less_often"),
    ],
)
def test_streams_with_an_interval_of_their_own(
    given: object, kept: dict[str, int] | None, wrong: str | None
) -> None:
    schedule, problems = {"kind": "every", "minutes": 60, "less_often": given}, dict[str, str]()
    try:
        schedule = clean_schedule(schedule, connector("bitbucket_cloud"))
    except InvalidFields as error:
        problems = error.fields

    assert list(problems) == ([wrong] if wrong else [])
    assert wrong or schedule.get("less_often") == kept
