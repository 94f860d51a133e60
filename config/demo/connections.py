"""The connections of the demo, made over the HTTP API: nothing here that a script could not do."""

import time
from collections.abc import Callable
from typing import Any

from config.demo.api import Api
from config.demo.bitbucket import ACME_TOKEN, GLOBEX_TOKEN

UNFINISHED = {"queued", "running", "waiting"}
CONNECTOR = "bitbucket_cloud"
Tell = Callable[[str], None]


def is_missing_all(api: Api) -> bool:
    """Whether the organization has no connection yet."""
    return not api.get("connections.list", state="all")["connections"]


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


def sync(api: Api, connection: int, *, seconds: float = 300) -> dict[str, Any]:
    """Start a sync and wait for its end; its row. Raises TimeoutError."""
    method = f"connections/{connection}/syncs"
    started = api.post(f"{method}.start", mode="incremental")["sync"]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        row: dict[str, Any] = api.get(f"{method}.info/{started['id']}")["sync"]
        if row["state"] not in UNFINISHED:
            return row
        time.sleep(0.2)
    raise TimeoutError(f"The sync did not end within {seconds:.0f} seconds.")


def make_all(api: Api, terraform: Api, tell: Tell) -> None:
    """A connection that was synced, one whose token lacks a scope, and an unfinished one."""
    tell("Connecting the workspace acme and syncing it")
    engineering = connect(
        api,
        "Engineering workspace",
        "acme",
        ACME_TOKEN,
        schedule={"kind": "every", "minutes": 15},
    )
    sync(api, engineering["id"])
    tell("Connecting the workspace globex, whose token lacks the scope pipeline")
    lacking = connect(
        api,
        "Globex workspace",
        "globex",
        GLOBEX_TOKEN,
        schedule={"kind": "every", "minutes": 60},
        selection={"streams": [stream for stream in streams(api) if stream != "pipelines"]},
    )
    api.post("connections.update", id=lacking["id"], selection={"streams": streams(api)})
    sync(api, lacking["id"])
    tell("Beginning a connection as the API key terraform")
    terraform.post(
        "connections.create",
        type=CONNECTOR,
        name="Platform workspace",
        settings={"workspace": "platform"},
    )


def streams(api: Api) -> list[str]:
    """The streams of the connector."""
    keys: list[str] = api.get(f"connectors.info/{CONNECTOR}")["connector"]["streams"]
    return keys
