"""The queues, what stands in which, and what beat sends when."""

from pathlib import Path
from typing import Any

from kombu import Exchange, Queue

FILES = "files://embedded"  # config.broker
# People wait for the first; slices of syncs stand in the second.
QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("default", "syncs")]
ROUTES = {"ingestion.tasks.run_slice": {"queue": "syncs"}}


def schedule(tick: int) -> dict[str, Any]:
    """What beat sends. A message that nobody took before the next one is dropped."""
    every = {
        "ingestion.tasks.tick": tick,
        "connections.tasks.verify_due": 60,
        "connections.tasks.erase_expired_drafts": 60,
        "connections.tasks.watch_expiry": 300,
        "ingestion.tasks.sweep_quotas": 3600,
        "ingestion.tasks.sweep_details": 3600,
        "ingestion.tasks.sweep_deliveries": 3600,
        "ingestion.tasks.purge_deleted": 3600,
        "tenants.tasks.sweep_idempotent_calls": 60,
        "tenants.tasks.erase_old_events": 3600,
    }
    return {
        task: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
        for task, seconds in every.items()
    }


def transport_options(url: str, folder: Path) -> dict[str, Any]:
    """What the broker's transport must know beside its address."""
    if url == FILES:
        return {"folder": folder, "polling_interval": 0.05}
    if url.startswith("redis"):
        return {"socket_connect_timeout": 3, "socket_timeout": 20}
    return {}
