"""Comparing with Bitbucket's counts, and fetching what is missing."""

from collections import defaultdict

from django.db import transaction

from connections.models import Connection
from connections.services.locks import hold
from ingestion.models import Coverage, Sync
from ingestion.services.syncs import start_sync
from tenants.actor import Actor

# What hangs on a stream and is lost with its rows, so that it is read again with it.
DETAILS = {"pull_requests": ("pull_request_activity", "pull_request_comments")}


def compare(*, connection: Connection, by: Actor) -> Sync:
    """Start a sync that compares at its end. The caller has checked the actor's role.

    Raises ConnectionNotReady, SyncAlreadyRunning.
    """
    return start_sync(connection=connection, trigger=Sync.Trigger.PERSON, by=by, compares=True)


@transaction.atomic
def fetch_missing(*, connection: Connection, by: Actor) -> Sync | None:
    """Read from its beginning what lacks records by the last comparison, and compare again.

    What is here stays, and is updated in place. None where nothing was missing. The caller has
    checked the actor's role. Raises ConnectionNotReady, SyncAlreadyRunning.
    """
    hold(connection.pk)
    lacking: dict[str, set[int | None]] = defaultdict(set)
    compared = Coverage.objects.filter(
        connection=connection,
        comparison__isnull=False,
        repository__is_selected=True,
        repository__removed_at=None,
    )
    for row in compared:
        if row.comparison and row.comparison["theirs"] > row.comparison["ours"]:
            for stream in (row.stream, *DETAILS.get(row.stream, ())):
                lacking[stream].add(row.repository_id)
    if not lacking:
        return None
    for stream, repositories in lacking.items():
        Coverage.objects.filter(stream=stream, repository__in=repositories).update(
            watermark=None, checkpoint=None
        )
    return compare(connection=connection, by=by)
