"""Beat's tick: 10,000 connections, of which 100 are due."""

import time
from collections.abc import Iterator
from datetime import timedelta

from tests.benchmarks import inside
from tests.benchmarks.figures import Figure, Surroundings

ALL, DUE, IN_EACH = 10_000, 100, 20  # connections, and how many an organization has


def tick(around: Surroundings) -> Iterator[Figure]:
    """The first tick that finds them, and the next one, which has nothing to start."""
    inside.enter(around)
    from ingestion.services import schedule

    prepare()
    for name, is_aimed_at in (("100 due", True), ("nothing due", False)):
        with inside.counted() as statements:
            begun = time.perf_counter()
            schedule.tick()
            took = (time.perf_counter() - begun) * 1000
        yield Figure(
            measure=f"a tick, {name}", value=took, unit="ms", at_most=100 if is_aimed_at else None
        )
        aim = 10 if is_aimed_at else None
        yield Figure(measure=f"statements, {name}", value=statements.count, at_most=aim)


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
    for position, row in enumerate(rows):
        row.schedule = every_hour
        row.next_sync_at = soon - timedelta(hours=2 if position < DUE else 0)
    Connection.objects.bulk_create(rows, batch_size=500)


RUNS = (tick,)
