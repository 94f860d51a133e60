"""Comparing with Bitbucket's counts, and fetching what is missing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from connections.models import Connection
from connections.services.locks import hold
from connections.services.selections import copied_streams
from ingestion.models import COMPARISON, Comment, Coverage, PullRequest, Sync
from ingestion.services.retries import WELL
from ingestion.services.syncs import start_sync
from tenants.actor import Actor

# What hangs on a stream and is lost with its rows, so that it is read again with it.
DETAILS = {
    "pull_requests": ("pull_request_activity", "pull_request_comments"),
    "pipelines": ("pipeline_steps",),
}
COMMENTS = "pull_request_comments"

Lacking = Mapping[str, set[int | None]]  # repositories by stream; None is the connection itself


def compare(*, connection: Connection, trigger: Sync.Trigger | str, by: Actor) -> Sync:
    """Start a sync that compares what is here, and copies nothing. The caller has checked the
    actor's role.

    Raises ConnectionNotReady, SyncAlreadyRunning.
    """
    return start_sync(connection=connection, trigger=trigger, by=by, streams=[COMPARISON])


@transaction.atomic
def fetch_missing(*, connection: Connection, trigger: Sync.Trigger | str, by: Actor) -> Sync | None:
    """Read from its beginning what lacks records by the last comparison, nothing else, and compare
    that again.

    What is here stays, and is updated in place. None where nothing was missing. The caller has
    checked the actor's role. Raises ConnectionNotReady, SyncAlreadyRunning.
    """
    hold(connection.pk)
    lacking = _lacking(connection)
    if not lacking:
        return None
    chosen = copied_streams(connection)
    wanted = chosen if "repositories" in lacking else [one for one in chosen if one in lacking]
    sync = start_sync(connection=connection, trigger=trigger, by=by, streams=[*wanted, COMPARISON])
    for stream, repositories in lacking.items():
        _read_again(stream, [key for key in repositories if key is not None])
    _leave_others(connection, sync, lacking)
    return sync


def lacking_comments(repositories: Iterable[int]) -> "QuerySet[PullRequest]":
    """Pull requests that hold fewer comments, as `live`, than Bitbucket counted when they and their
    comments were read.
    """
    here = Comment.objects.filter(
        pull_request=OuterRef("pk"), removed_at=None, is_deleted=False
    ).order_by()
    count = here.values("pull_request").annotate(n=Count("pk")).values("n")
    live = Coalesce(Subquery(count, output_field=IntegerField()), 0)
    mine: QuerySet[PullRequest] = PullRequest.objects.filter(
        repository__in=repositories, removed_at=None, comments_done_for=F("due_for")
    )
    return mine.annotate(live=live).filter(live__lt=F("comment_count"))


def _lacking(connection: Connection) -> Lacking:
    """Where records are missing by the last comparison, with what hangs on them."""
    found: dict[str, set[int | None]] = defaultdict(set)
    there = Q(repository=None) | Q(repository__is_selected=True, repository__removed_at=None)
    compared = Coverage.objects.filter(
        there,
        connection=connection,
        stream__in=copied_streams(connection),
        comparison__isnull=False,
    )
    for row in compared:
        if row.comparison and row.comparison["theirs"] > row.comparison["ours"]:
            for stream in (row.stream, *DETAILS.get(row.stream, ())):
                found[stream].add(row.repository_id)
    return found


def _read_again(stream: str, repositories: Iterable[int]) -> None:
    """Forget how far a stream was read; of comments, only where they were counted as missing."""
    if stream == COMMENTS:
        short = lacking_comments(repositories).values("pk")
        PullRequest.objects.filter(pk__in=short).update(comments_done_for=None)
    Coverage.objects.filter(stream=stream, repository__in=repositories).update(
        watermark=None, checkpoint=None, heads=None
    )


def _leave_others(connection: Connection, sync: Sync, lacking: Lacking) -> None:
    """Let the sync take as ended what lacks nothing, as a retry does."""
    wanted = Q(pk__in=[])
    for stream, repositories in lacking.items():
        inside = Q(repository__in=[key for key in repositories if key is not None])
        whole = Q(repository=None) if None in repositories else Q(pk__in=[])
        wanted |= Q(stream__in=(stream, COMPARISON)) & (inside | whole)
    mine = Coverage.objects.filter(WELL, connection=connection, stream__in=sync.streams)
    read = Q(complete_as_of__isnull=False) | Q(stream=COMPARISON)
    mine.filter(read).exclude(wanted).update(ended_by=sync.pk)
