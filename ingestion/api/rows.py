"""Rows as the API answers them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ingestion.models import Coverage, Delivery, Repository, StreamRun, Sync
from ingestion.selectors.tables import record_row
from ingestion.words.deliveries import outcome_in_words
from ingestion.words.progress import share, share_done
from tenants.api import timestamp

COUNTS = ("read", "created", "updated", "unchanged", "removed")


def sync_row(sync: Sync, streams: Sequence[StreamRun]) -> dict[str, Any]:
    """A sync with its streams."""
    return {
        "id": sync.pk,
        "connection_id": sync.connection_id,
        "trigger": sync.trigger,
        "mode": sync.mode,
        "state": sync.state,
        "reason": sync.reason or None,
        "resume_at": timestamp(sync.resume_at),
        "started_at": timestamp(sync.started_at),
        "finished_at": timestamp(sync.finished_at),
        "heartbeat_at": timestamp(sync.heartbeat_at),
        "progress": round(share_done(streams), 3),
        "counts": {name: int(sync.counts.get(name) or 0) for name in COUNTS},
        "requests": sync.requests,
        "error": sync.error,
        "streams": [_stream_row(row) for row in streams],
    }


def _stream_row(row: StreamRun) -> dict[str, Any]:
    return {
        "stream": row.stream,
        "state": row.state,
        "progress": round(share(row), 3),
        **{name: getattr(row, name) for name in COUNTS},
        "requests": row.requests,
        "complete_as_of": timestamp(row.complete_as_of),
        "error": row.error,
    }


def coverage_row(row: Coverage) -> dict[str, Any]:
    """Up to where one stream of one repository is complete."""
    return {
        "repository_id": row.repository_id,
        "repository": row.repository.full_name if row.repository else None,
        "stream": row.stream,
        "complete_as_of": timestamp(row.complete_as_of),
        "watermark": timestamp(row.watermark),
        "gap": row.gap,
        "comparison": _comparison(row.comparison),
    }


def _comparison(told: dict[str, Any] | None) -> dict[str, Any] | None:
    return told and {**told, "at": timestamp(datetime.fromisoformat(told["at"]))}


def repository_row(repository: Repository) -> dict[str, Any]:
    """A repository, and whether it is synced."""
    row = record_row(repository)
    row["selected"] = row.pop("is_selected")
    return row


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """A delivery, without what it said."""
    return {
        "id": delivery.pk,
        "connection_id": delivery.connection_id,
        "request_id": delivery.request_id,
        "event": delivery.event,
        "attempt": delivery.attempt,
        "repository": delivery.repository_name or None,
        "state": delivery.state,
        "outcome": delivery.outcome or None,
        "message": outcome_in_words(delivery),
        "received_at": timestamp(delivery.received_at),
        "resume_at": timestamp(delivery.resume_at),
        "processed_at": timestamp(delivery.processed_at),
        "ms": delivery.ms,
        "changed": delivery.changed,
        "requests": delivery.requests,
        "replays": delivery.replays,
        "error": delivery.error,
    }


def whole_delivery_row(delivery: Delivery, *, with_body: bool) -> dict[str, Any]:
    """The same with its headers, and its body for those who may see it."""
    body = delivery.body if with_body else None
    return {**delivery_row(delivery), "headers": delivery.headers, "body": body}
