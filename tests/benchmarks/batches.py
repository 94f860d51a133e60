"""SQL statements that a transaction with rows of one kind takes: its fence, rows, their keys,
coverage and counts; and those of a whole first sync. What begins and ends it does not count.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from config.demo.bitbucket import ACME_TOKEN, environment
from tests.benchmarks import inside
from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import simulated

SIZES = (500, 2_000)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def of_one_kind(around: Surroundings) -> Iterator[Figure]:
    """Each kind of row, in small and large batches."""
    inside.enter(around)
    run, fence = a_run()
    for size in SIZES:
        for stream, rows in kinds(size).items():
            aim = 6 if around.is_postgres else None
            for reading, name in ((None, ""), (run.reading, ", everything again")):
                count = statements(run, fence, stream, rows, reading)
                yield Figure(measure=f"{size:,} rows of {stream}{name}", value=count, at_most=aim)


def of_a_sync(around: Surroundings) -> Iterator[Figure]:
    """All statements of a first sync, for each 500 of its rows."""
    with ExitStack() as stack:
        bitbucket = stack.enter_context(simulated(latency=0))
        inside.enter(around, **environment(bitbucket), QUOTA_LIMIT="1000000")
        from ingestion.engine import run_to_end
        from ingestion.services.syncs import start_sync
        from tenants import access
        from tenants.actor import Actor
        from tests.factories import ConnectionFactory, CredentialFactory

        connection = ConnectionFactory.create(identity="")
        stack.enter_context(access.enter(connection.organization))
        CredentialFactory.create(connection=connection, secrets={"api_token": ACME_TOKEN})
        sync = start_sync(connection=connection, trigger="person", by=Actor.system())
        counted = stack.enter_context(inside.counted())
        ended = run_to_end(sync.pk)
        if ended.state != "succeeded":
            raise RuntimeError(f"The sync ended as {ended.state}: {ended.error}")
        value = counted.count / (ended.counts["created"] / 500)
    yield Figure(measure="a first sync, for each 500 rows", value=round(value, 2))


def a_run() -> tuple[Any, Any]:
    """A sync that this process holds, with a repository of which everything is new."""
    from ingestion.engine.book import Book
    from ingestion.engine.fence import claim
    from ingestion.engine.run import Run
    from ingestion.services.syncs import start_sync
    from tenants.actor import Actor
    from tests.factories import CredentialFactory, RepositoryFactory

    connection = CredentialFactory.create().connection
    repository = RepositoryFactory.create(connection=connection)
    sync = start_sync(connection=connection, trigger="person", by=Actor.system())
    run = Run(sync=sync, connection=connection, book=Book(sync))
    run.book.load()
    run.repositories = {repository.pk: repository}
    return run, claim(sync.pk)


def statements(run: Any, fence: Any, stream: str, rows: list[Any], reading: int | None) -> int:
    """Those of one transaction with rows that are there already, in an older version."""
    from ingestion.writer.people import People

    people = People(run.connection.pk)
    for age in (1, 0):
        with inside.counted() as counted:
            transaction(run, fence, people, stream, [older(row, age) for row in rows], reading)
    return counted.count


def transaction(
    run: Any, fence: Any, people: Any, stream: str, rows: list[Any], reading: int | None
) -> None:
    """As a slice writes; `reading` marks what a reading of everything sees."""
    from django.db import transaction as database

    from ingestion.writer.batch import Batch, Place

    batch = Batch(
        organization_id=run.sync.organization_id,
        connection_id=run.connection.pk,
        people=people,
        now=run.clock.now(),
        is_selected=lambda row: True,
        seen_by=reading,
    )
    place = Place(stream, next(iter(run.repositories)))
    with database.atomic():
        fence.hold(counts=run.book.totals(), requests=1, seconds={})
        batch.write([(place, rows)])
        run.book.count(Place(stream, None), batch.tally[place])
        run.book.coverage(place).watermark = run.clock.now()
        run.book.save()


def older(row: Any, age: int) -> Any:
    """The row as it was so many minutes ago."""
    before = timedelta(minutes=age)
    match type(row).__name__:
        case "PullRequestRow":
            return replace(row, title=f"{age}", updated_on=row.updated_on - before)
        case "PipelineRow":
            return replace(row, completed_on=row.completed_on - before)
        case "CommentRow":
            return replace(row, content=f"{age}", updated_on=row.updated_on - before)
    return replace(row, changes={"age": [None, age]})


def kinds(size: int) -> dict[str, list[Any]]:
    """So many rows of each kind, by stream; three people take part."""
    from ingestion.sources.rows import CommentRow, EventRow, Participant, PersonRow, PipelineRow
    from tests.ingestion.writer.conftest import pull_request

    people = [PersonRow(uuid=f"{{{name}}}", name=name) for name in ("ada", "ben", "cleo")]
    about: dict[str, Any] = {"state": "approved", "is_approved": True, "participated_on": BEGAN}
    reviews = tuple(Participant(person=who, role="REVIEWER", **about) for who in people)
    moments = [BEGAN + timedelta(seconds=n) for n in range(size)]
    return {
        "pull_requests": [
            pull_request(n + 1, participants=reviews, author=people[n % 3]) for n in range(size)
        ],
        "pull_request_activity": [
            EventRow(pull_request=n + 1, kind="update", happened_at=moment, person=people[n % 3])
            for n, moment in enumerate(moments)
        ],
        "pull_request_comments": [
            CommentRow(
                pull_request=n + 1,
                number=n + 1,
                author=people[n % 3],
                content="",
                path="",
                line=None,
                parent_number=None,
                is_deleted=False,
                is_resolved=False,
                created_on=moment,
                updated_on=moment,
            )
            for n, moment in enumerate(moments)
        ],
        "pipelines": [
            PipelineRow(
                uuid=f"{{{n}}}",
                number=n + 1,
                run_number=1,
                state="COMPLETED",
                result="SUCCESSFUL",
                trigger="PUSH",
                creator=people[n % 3],
                target="",
                ref_name="main",
                commit="",
                duration=60,
                build_seconds=60,
                created_on=moment,
                completed_on=moment + timedelta(minutes=5),
            )
            for n, moment in enumerate(moments)
        ],
    }


RUNS = (of_one_kind, of_a_sync)
