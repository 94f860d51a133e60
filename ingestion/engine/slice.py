"""A slice: one stretch of a sync in one worker. Threads fetch, this thread writes.

What several walks brought meanwhile is written together in one transaction, with their
checkpoints; so batches grow by themselves when Bitbucket is quicker than the database.
"""

import gc
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from django.db import transaction

from connections.services.locks import hold
from connections.transport.errors import ProviderError
from ingestion.engine import access, ending, shutdown
from ingestion.engine.failures import Failures
from ingestion.engine.fence import Fence, is_wanted_elsewhere
from ingestion.engine.fetch import Arrived, Ended, Fetchers, Message
from ingestion.engine.plan import Plan
from ingestion.engine.run import Run
from ingestion.engine.seat import Seat
from ingestion.engine.visits import steps
from ingestion.engine.visits.base import NothingListed, Visit
from ingestion.engine.visits.repositories import GoneVisit, RepositoriesVisit
from ingestion.models import State, Sync
from ingestion.quota import book_ahead
from ingestion.services.repositories import selected_by
from ingestion.sources.rows import Row
from ingestion.writer import store
from ingestion.writer.batch import Batch, Counts, Place
from ingestion.writer.details import PullRequestKeys
from ingestion.writer.people import People

PAGES_AT_A_TIME = 40  # messages that one transaction takes at most
LOOK = 0.5  # seconds between two looks at the clock, and at who waits
LONGEST = 600  # seconds, so that an authorization is renewed in time
# New objects between two looks for garbage that goes round in circles. A page of Bitbucket's is
# thousands of objects and leaves no circle: at Python's own 700, looking takes longer than parsing.
UNTIL_COLLECTED = 50_000
# Seconds for which a thread that parses keeps the interpreter while another waits for it. The one
# that writes lets go of it with each statement: at Python's own 5 ms it waits four times as long.
TURN = 0.001
# Walks at a time for each request that may be under way. Between two requests a walk parses and
# waits for its rows to be taken; with a second one no turn passes unused meanwhile, and it is rarer
# that the last repositories are left to a few walks.
WALKS = 2


class Slice:
    """Walks what is left of a sync until it ends, waits, or is another's."""

    def __init__(self, run: Run, fence: Fence, failures: Failures) -> None:
        self._run = run
        self._fence = fence
        self._plan = Plan(run)
        self._failures = failures
        self._people = People(run.connection.home_id)
        self._pull_requests = PullRequestKeys()
        self._fetchers = Fetchers(partial(Seat, run.pool), WALKS * run.pool.pace.most)
        self._begun = self._looked = time.monotonic()
        self._yields = False

    def work(self) -> State:
        """Do the slice. Raises Lost when the sync is another's by now."""
        try:
            with store.prepared(), rare_collections(), short_turns():
                self._prepare()
                self._walk()
        finally:
            self._fetchers.close()
        return self._let_go()

    def _prepare(self) -> None:
        self._people.load()
        with transaction.atomic():
            self._fence.hold()
            self._plan.begin()
            self._begin_streams()
            self._run.book.save()

    def _begin_streams(self) -> None:
        for row in self._run.book.streams():
            if row.state in (State.QUEUED, State.WAITING):
                row = self._run.book.run(Place(row.stream, None))
                row.state = State.RUNNING
                row.started_at = row.started_at or self._run.clock.now()

    def _walk(self) -> None:
        while True:
            self._submit()
            if not self._fetchers.walking:
                if self._fetchers.is_stopping or not self._plan.compare():
                    return
                continue
            book_ahead()
            waited = time.monotonic()
            messages = self._fetchers.receive(LOOK, PAGES_AT_A_TIME)
            self._spend("bitbucket", time.monotonic() - waited)
            if messages:
                self._write(messages)
            self._look_up()

    def _submit(self) -> None:
        pace = self._run.pool.pace
        while not self._fetchers.is_stopping and self._fetchers.walking < WALKS * pace.now:
            visit = self._plan.take()
            if visit is None:
                return
            self._fetchers.submit(visit)

    def _look_up(self) -> None:
        """Renew the lease, and stop where somebody else's turn has come."""
        if self._fence.is_due():
            with transaction.atomic():
                self._fence.hold()
        if time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        lasted = self._looked - self._begun
        if lasted > LONGEST or shutdown.is_asked():
            self._yields = True
            self._fetchers.stop()
        elif not self._fetchers.is_stopping and is_wanted_elsewhere(self._run.sync, lasted=lasted):
            self._yields = True
            self._fetchers.give_way()

    def _write(self, messages: Sequence[Message]) -> None:
        """Rows, checkpoints, counts and ends, in one transaction behind the fence."""
        begun = time.monotonic()
        arrived = [message for message in messages if isinstance(message, Arrived)]
        with transaction.atomic():
            if any(isinstance(one.visit, RepositoriesVisit) for one in arrived):
                # A person may have chosen others meanwhile; until this is written, nobody does.
                self._run.connection.selection = hold(self._run.connection.pk).selection
            self._fence.hold(
                counts=self._run.book.totals(),
                requests=self._run.book.requests(),
                seconds=self._run.sync.seconds,
                uses=self._run.uses,
            )
            batch = self._written(arrived)
            self._account(batch, messages)
            self._run.book.save()
        for message in arrived:
            if message.verdict:
                message.verdict.give(batch.tally[message.visit.place].changed > 0)
        self._spend("database", time.monotonic() - begun)
        if self._failures.trouble:
            self._fetchers.stop()

    def _written(self, arrived: Sequence[Arrived]) -> Batch:
        """The rows of these pages, written; row by row where the database refuses one of them."""
        pages = [(one.visit.place, one.page.rows) for one in arrived]
        try:
            with transaction.atomic():
                return self._batch(pages, careful=False)
        except store.REFUSALS:
            self._people.load()
            self._pull_requests.forget()
            return self._batch(pages, careful=True)

    def _batch(self, pages: Sequence[tuple[Place, Sequence[Row]]], *, careful: bool) -> Batch:
        batch = Batch(
            organization_id=self._run.sync.organization_id,
            connection_id=self._run.sync.connection_id,
            people=self._people,
            now=self._run.clock.now(),
            is_selected=selected_by(self._run.connection.selection),
            careful=careful,
            seen_by=self._run.reading if self._run.is_full else None,
            pull_requests=self._pull_requests,
        )
        batch.write(pages)
        return batch

    def _account(self, batch: Batch, messages: Sequence[Message]) -> None:
        """Draw the conclusions of a batch that was written."""
        book = self._run.book
        for place, counts in batch.tally.items():
            self._count(place, counts)
        book.reject(batch.rejections, self._run.clock.now())
        told = set[Place]()
        for message in messages:
            book.run(Place(message.visit.stream, None)).requests += message.requests
            if isinstance(message, Arrived):
                self._failures.hear()
                place = message.visit.place
                counts = Counts() if place in told else batch.tally[place]
                told.add(place)
                message.visit.arrived(message.page, counts)
            else:
                self._end(message)
        steps.note_read(self._run)
        if any(isinstance(message, Ended) for message in messages):
            book.count_ended()

    def _count(self, place: Place, counts: Counts) -> None:
        self._run.book.count(Place(place.stream, None), counts)
        if place.repository_id is None:
            return
        if counts.changed or counts.rejected or self._run.book.has_run(place):
            self._run.book.count(place, counts)

    def _end(self, message: Ended) -> None:
        visit, error = message.visit, message.error
        if isinstance(error, ProviderError):
            self._plan.follow(self._failures.judge(visit, error))
        elif error is not None:
            raise error
        elif message.is_whole:
            try:
                self._follow(visit)
            except NothingListed as nothing:
                self._plan.follow(self._failures.judge(visit, nothing))
        if visit.counts.removed:
            self._count(visit.place, Counts(removed=visit.counts.removed))

    def _follow(self, visit: Visit) -> None:
        followers = visit.ended()
        self._failures.is_answering = True
        place = visit.place
        has_ended = self._run.has_ended(place)
        if has_ended:  # waits for Bitbucket are counted in a row; a place ends once in a sync
            self._run.sync.retry_count = 0
        if has_ended and self._run.book.has_run(place):
            row = self._run.book.run(place)
            is_well = place.repository_id is not None and self._run.book.has_ended_well(place)
            row.error = None if is_well else visit.coverage.gap
            if place.repository_id is not None:
                as_well = State.PARTIAL if row.rejected else State.SUCCEEDED
                row.state = as_well if is_well else State.FAILED
                row.finished_at = self._run.clock.now()
        self._plan.follow(followers)
        if isinstance(visit, RepositoriesVisit):
            self._plan.visit_repositories(but=visit.missing)
            if visit.listings.waits:
                self._failures.wait_for_quota(visit.listings.waits)
        elif isinstance(visit, GoneVisit):
            self._plan.visit(visit.found)

    def _spend(self, on: str, seconds: float) -> None:
        spent = self._run.sync.seconds
        spent[on] = round(spent.get(on, 0) + seconds, 3)

    def _let_go(self) -> State:
        """End or put back the sync, as the slice went."""
        failures, run, fence = self._failures, self._run, self._fence
        trouble = failures.trouble
        access.keep(run)
        failures.note_on_connection()
        if trouble and trouble.error:
            return ending.finish(run, fence, trouble.error.as_dict())
        if trouble and trouble.wait_until:
            return ending.wait(run, fence, Sync.Reason.QUOTA, trouble.wait_until)
        if self._yields:
            return ending.wait(run, fence, Sync.Reason.TURN, run.clock.now())
        if failures.quota_until:
            return ending.wait(run, fence, Sync.Reason.QUOTA, failures.quota_until)
        if run.put_off and failures.may_retry:
            error = failures.first_retryable
            told = error.as_dict() if error else None
            return ending.wait(run, fence, Sync.Reason.RETRY, ending.retry_at(run), told)
        return ending.finish(run, fence)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for circular garbage more rarely."""
    before = gc.get_threshold()
    gc.set_threshold(UNTIL_COLLECTED, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def short_turns() -> Iterator[None]:
    """Let the thread that writes go on sooner beside those that parse."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
