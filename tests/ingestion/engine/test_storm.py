"""Workers that die again and again ask for no more than Bitbucket's strict rolling hour allows."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ingestion import engine
from ingestion.models import State, Sync
from ingestion.quota import forget_lots
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.test_interruptions import Killed, killed_at
from tests.sandbox import Sandbox

LIMIT, LIVES = 40, 15


def test_storm_of_restarts_makes_no_429(
    copied: Copied, sandbox: Sandbox, settings: Any, lose_lease: Callable[[Sync], None]
) -> None:
    settings.QUOTA_LIMIT = sandbox.quota.limit = LIMIT
    sync = copied.start()

    for _ in range(LIVES):
        forget_lots()  # what a process had booked dies with it
        with killed_at(3), suppress(Killed):
            engine.run_slice(sync.pk)
        lose_lease(sync)
    left_as = engine.run_slice(sync.pk)

    sync.refresh_from_db()
    assert (left_as, sync.reason) == (State.WAITING, Sync.Reason.QUOTA)
    assert LIMIT // 2 < len(sandbox.requests) <= LIMIT
    assert sandbox.quota.refused == 0
