"""The connections of the demo, made over the HTTP API: nothing here that a script could not do."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from config.demo.api import Api
from config.demo.bitbucket import ACME_TOKEN, GLOBEX_TOKEN

UNFINISHED = {"queued", "running", "waiting"}
CONNECTOR = "bitbucket_cloud"
ENGINEERING, GLOBEX, PLATFORM = "Engineering workspace", "Globex workspace", "Platform workspace"
# What the token of globex may read; no list at all stands for the usual streams.
READABLE = ["repositories", "people", "pull_requests", "pull_request_activity"]
USUAL: list[str] = []
Tell = Callable[[str], None]


def connect(api: Api, name: str, workspace: str, token: str, **more: Any) -> dict[str, Any]:
    """Create a connection with a workspace access token; it is verified on the way."""
    connection: dict[str, Any] = api.post(
        "connections.create",
        type=CONNECTOR,
        name=name,
        settings={"workspace": workspace},
        credential={"method": "access_token", "settings": {}, "secrets": {"api_token": token}},
        **more,
    )["connection"]
    return connection


def sync(api: Api, connection: int, *, seconds: float = 300, every: float = 0.2) -> dict[str, Any]:
    """Start a sync and wait for its end, looking `every` so many seconds; its row.

    Raises TimeoutError.
    """
    started = api.post(f"connections/{connection}/syncs.start", mode="incremental")["sync"]
    return wait_for(api, connection, started["id"], seconds=seconds, every=every)


def wait_for(
    api: Api, connection: int, sync: int, *, seconds: float = 300, every: float = 0.2
) -> dict[str, Any]:
    """Wait for the end of a sync, looking `every` so many seconds; its row. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        row: dict[str, Any] = api.get(f"connections/{connection}/syncs.info/{sync}")["sync"]
        if row["state"] not in UNFINISHED:
            return row
        time.sleep(every)
    raise TimeoutError(
        f"The sync did not end within {seconds:.0f} seconds; see the worker's lines."
    )


def make_all(api: Api, terraform: Api, made: Mapping[str, int], tell: Tell) -> None:
    """A connection that was synced, one whose token lacks a scope, and an unfinished one.

    `made`: the names and ids of those that a start made before it was interrupted. It is taken up
    where it stopped; the unfinished one comes last, so that whoever finds it finds all.
    """
    tell("Connecting the workspace acme and syncing it")
    _sync_once(api, made.get(ENGINEERING) or _connect_engineering(api))
    tell("Connecting the workspace globex, whose token lacks the scope pipeline")
    _sync_once(api, made.get(GLOBEX) or _connect_globex(api), {"streams": USUAL})
    tell("Beginning a connection as the API key terraform")
    terraform.post(
        "connections.create", type=CONNECTOR, name=PLATFORM, settings={"workspace": "platform"}
    )


def _connect_engineering(api: Api) -> int:
    schedule = {"kind": "every", "minutes": 15}
    made: int = connect(api, ENGINEERING, "acme", ACME_TOKEN, schedule=schedule)["id"]
    return made


def _connect_globex(api: Api) -> int:
    """At first without the stream that its token cannot read: with it, it would be refused."""
    schedule = {"kind": "every", "minutes": 60}
    selection = {"streams": READABLE}
    made: int = connect(
        api, GLOBEX, "globex", GLOBEX_TOKEN, schedule=schedule, selection=selection
    )["id"]
    return made


def _sync_once(api: Api, connection: int, selection: dict[str, Any] | None = None) -> None:
    """Bring the first sync of a connection to its end, unless it has ended before."""
    syncs = api.get(f"connections/{connection}/syncs.list")["syncs"]
    if not syncs:
        if selection is not None:
            api.post("connections.update", id=connection, selection=selection)
        sync(api, connection)
    elif all(row["state"] in UNFINISHED for row in syncs):
        wait_for(api, connection, syncs[0]["id"])
