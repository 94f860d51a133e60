"""Beat's tick: 10,000 connections, of which 100 are due."""

import time
from collections.abc import Iterator
from datetime import timedelta

from tests.benchmarks import inside
from tests.benchmarks.figures import Figure, Surroundings

ALL, DUE, IN_EACH = 10_000, 100, 20  # connections, and how many an organization has


def tick(around: Surroundings) -> Iterator[Figure]:
    """A tick that finds some due is timed, another one like it counted: counting takes its time."""
    inside.enter(around)
    from ingestion.services import schedule

    prepare()
    for name, due, is_aimed_at in (("100 due", DUE, True), ("nothing due", 0, False)):
        make_due(due)
        begun = time.perf_counter()
        schedule.tick()
        took = (time.perf_counter() - begun) * 1000
        aim = 100 if is_aimed_at else None
        yield Figure(measure=f"a tick, {name}", value=took, unit="ms", at_most=aim)
        make_due(due)
        with inside.counted() as statements:
            schedule.tick()
        aim = 10 if is_aimed_at else None
        yield Figure(measure=f"statements, {name}", value=statements.count, at_most=aim)


def make_due(count: int) -> None:
    """Let the time of so many connections come that have no sync yet."""
    from django.utils.timezone import now

    from connections.models import Connection

    without = Connection.objects.filter(syncs=None).order_by("pk")
    keys = list(without.values_list("pk", flat=True)[:count])
    moment = now() - timedelta(seconds=1)
    Connection.objects.filter(pk__in=keys).update(next_sync_at=moment)


def prepare() -> None:
    """The connections; a worker has done ticks before, so it has loaded what they need."""
    from django.utils.timezone import now

    from connections.models import Connection
    from ingestion.services import schedule
    from tests.factories import ConnectionFactory, OrganizationFactory

    every_hour = {"kind": "every", "minutes": 60}
    ConnectionFactory.create(schedule=every_hour, next_sync_at=now())
    schedule.tick()
    owners = OrganizationFactory.create_batch(ALL // IN_EACH)
    soon = now() + timedelta(hours=1)
    rows = [ConnectionFactory.build(organization=owners[n % len(owners)]) for n in range(ALL)]
    for row in rows:
        row.schedule, row.next_sync_at = every_hour, soon
    Connection.objects.bulk_create(rows, batch_size=500)


RUNS = (tick,)
