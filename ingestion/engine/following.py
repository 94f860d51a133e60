"""Follows deliveries: whether one tells of anything that is not here, and what becomes of it."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from connections.models import Connection
from connections.services import states
from connections.services.removals import note_removals
from connections.services.selections import copied_streams
from connections.transport.errors import ProviderError, QuotaExhausted
from ingestion.clock import database_now
from ingestion.engine.book import Book
from ingestion.engine.ending import DEFECT
from ingestion.engine.errors import Lost
from ingestion.engine.hinted import Fetching, NotKept
from ingestion.engine.inbox import Hold, claim, is_open
from ingestion.engine.run import Run
from ingestion.engine.running import pool_of
from ingestion.models import Coverage, Delivery, PullRequest, Repository, Sync
from ingestion.sources import source_kind
from ingestion.sources.hints import Hint

log = structlog.get_logger(__name__)
Outcome, State = Delivery.Outcome, Delivery.State
NOT_KEPT = {
    "code": "rejected_rows",
    "message": "A record that Bitbucket shows could not be stored."
    " The next sync reads it again, and says which.",
    "retryable": False,
    "mended_by": "operator",
}


def follow(delivery_id: int) -> None:
    """Do what a delivery asks for, unless another worker does, or its connection is paused."""
    hold = claim(delivery_id)
    if hold is None:
        return
    try:
        _follow(hold)
    except Lost:
        log.info("delivery lost", delivery=delivery_id)
        with suppress(Lost):  # another worker's by now; else another connection's, or nobody's
            hold.put_back(Outcome.NONE, None)
    except (OperationalError, InterfaceError):
        raise  # the database's own trouble: once the lease is over, it is taken up again
    except Exception:
        # A defect of ours: whoever takes over would only meet it again.
        hold.end(State.FAILED, Outcome.FAILED, error=DEFECT)
        raise


def _follow(hold: Hold) -> None:
    delivery = hold.delivery
    if not is_open(delivery.connection):
        hold.put_back(Outcome.NONE, None)
        return
    hint = hint_of(delivery)
    if hint is None:
        hold.end(State.DROPPED, Outcome.UNKNOWN_EVENT)
        return
    copying = _who_copies(delivery.connection, hint.stream)
    hold = replace(hold, connection=copying, stream=hint.stream)
    repository = _repository(delivery, hint)
    needless = _needless(hold, hint, repository)
    if needless:
        hold.end(State.DROPPED, needless)
        return
    run = _run(hold.connection, repository)
    fetching = None
    try:
        run.pool = pool_of(run)
        fetching = Fetching(run, hold, hint, repository)
        outcome = fetching.fetch()
    except (ProviderError, NotKept) as error:
        _fail(hold, error, _spent(run, fetching))
    else:
        hold.end(State.DONE, outcome, error=None, **_spent(run, fetching))
        states.note_success(hold.connection)
    finally:
        _note_on_connection(run)


def hint_of(delivery: Delivery) -> Hint | None:
    """What a delivery tells of; None where that is nothing which is read."""
    body = json.loads(delivery.body)
    return source_kind(delivery.connection.connector).hint(delivery.event, body)


def _repository(delivery: Delivery, hint: Hint) -> Repository | None:
    mine = Repository.objects.filter(connection_id=delivery.connection.home_id, removed_at=None)
    return mine.filter(uuid=hint.repository).first()


def _who_copies(connection: Connection, stream: str) -> Connection:
    """The connection that copies a stream: one beneath, where it was handed over to that."""
    if stream not in connection.handed_over:
        return connection
    beneath = Connection.objects.filter(parent=connection, deleted_at=None)
    copying = (one for one in beneath.order_by("pk") if stream in copied_streams(one))
    return next(copying, connection)


def _needless(hold: Hold, hint: Hint, repository: Repository | None) -> Delivery.Outcome | None:
    """Why nothing is fetched; None where something is. A person who asks again is not refused
    because of what is here.
    """
    delivery = hold.delivery
    if hint.stream not in copied_streams(hold.connection) or not is_open(hold.connection):
        return Outcome.NOT_COPIED
    if hint.stream != "repositories":
        if repository is None or not _is_read(repository, hint):
            return Outcome.NOT_READ_YET
        if not repository.is_selected:
            return Outcome.NOT_SELECTED
    if delivery.replays:
        return None
    if repository is not None and _is_stale(repository, hint):
        return Outcome.STALE
    return Outcome.REPEATED if _is_repeated(delivery, hint) else None


def _is_read(repository: Repository, hint: Hint) -> bool:
    """Whether a sync has read the list to which a fetched stretch is added. A pull request stands
    for itself.
    """
    if hint.number is not None:
        return True
    there = Coverage.objects.filter(repository=repository, stream=hint.stream)
    return there.filter(watermark__isnull=False).exists()


def _is_stale(repository: Repository, hint: Hint) -> bool:
    """Whether the record is here as it was told, and has changed since."""
    if hint.number is None or hint.changed_at is None:
        return False
    mine = PullRequest.objects.filter(repository=repository, number=hint.number)
    return mine.filter(updated_on__gt=hint.changed_at, created_on__isnull=False).exists()


def _is_repeated(delivery: Delivery, hint: Hint) -> bool:
    """Whether the same was asked for after this one came, for another one."""
    mine = Delivery.objects.filter(connection=delivery.connection, about=hint.about)
    since = mine.filter(state=State.DONE, started_at__gt=delivery.received_at)
    return since.exclude(pk=delivery.pk).exists()


def _run(connection: Connection, repository: Repository | None) -> Run:
    """What visits share, of a sync that is none: it has no row, and its book is never saved."""
    sync = Sync(
        connection=connection,
        organization_id=connection.organization_id,
        streams=[*copied_streams(connection)],
    )
    book = Book(sync)
    if repository is not None:
        book.look_up(repository.pk)
    return Run(sync=sync, connection=connection, book=book)


def _fail(hold: Hold, error: ProviderError | NotKept, spent: dict[str, Any]) -> None:
    """Wait for what waiting mends, so often; else leave it to the next sync."""
    delivery = hold.delivery
    told = NOT_KEPT if isinstance(error, NotKept) else error.as_dict()
    if isinstance(error, QuotaExhausted):
        hold.put_back(Outcome.QUOTA, error.resume_at, error=told, **spent)
        return
    retryable = isinstance(error, ProviderError) and error.retryable
    if not retryable or delivery.tries >= len(settings.DELIVERY_RETRY_DELAYS):
        hold.end(State.FAILED, Outcome.FAILED, error=told, **spent)
        return
    delay = timedelta(seconds=settings.DELIVERY_RETRY_DELAYS[delivery.tries])
    until = database_now() + delay
    hold.put_back(Outcome.RETRY, until, error=told, tries=delivery.tries + 1, **spent)


def _spent(run: Run, fetching: Fetching | None) -> dict[str, Any]:
    asked = {str(key): count for key, count in run.pool.asked().items()}
    changed = fetching.changed if fetching else 0
    return {"uses": asked, "requests": sum(asked.values()), "changed": changed}


def _note_on_connection(run: Run) -> None:
    """What was learned of the credentials and of endpoints that end."""
    note_removals(run.connection, run.pool.told)
    for member in run.pool.members:
        trouble = run.pool.troubles.get(member.key)
        if trouble is not None:
            states.note_failure(run.connection, trouble, credential=member.credential)
