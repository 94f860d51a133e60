"""Webhooks, from Bitbucket's own sending to the row; and while the broker keeps silent."""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from config.demo import connections
from config.demo.api import Api
from config.supervisor import free_port
from tests.hooks import request_uuid, signature
from tests.house import House, addresses, services, wait_until
from tests.processes.test_workers_that_die import wait_for_end
from tests.sandbox import Sandbox
from tests.sandbox.world import Hook

SECONDS = 60  # for what takes one or two, where the machine is busy
MANY = 20


def hooked(house: House, world: Sandbox, name: str) -> tuple[Api, dict[str, Any], str, str]:
    """A new organization with a connection; where its webhooks deliver to, and their secret."""
    api = house.organization(name)
    made = connections.connect(api, "Acme", "acme", world.tokens.workspace("acme"))
    url, secret = house.errand("-m", "tests.processes.hooked", str(made["id"])).split()
    return api, made, url, secret


def test_a_record_changes_within_seconds(house: House, world: Sandbox) -> None:
    api, made, url, secret = hooked(house, world, f"Hooked {secrets.token_hex(3)}")
    house.worker("hooked")
    started = api.post(f"connections/{made['id']}/syncs.start", mode="incremental")["sync"]
    assert wait_for_end(api, started)["state"] == "succeeded"
    hook = Hook(uuid=f"{{{request_uuid()}}}", **_subscribed(url, secret))
    workspace = world.world.workspaces["acme"]
    workspace.hooks[hook.uuid] = hook
    try:
        world.change.new_pull_request("acme", next(iter(workspace.repositories)))
        begun = time.monotonic()
        wait_until(lambda: _is_fetched(api, made), seconds=SECONDS)
    finally:
        del workspace.hooks[hook.uuid]
    print(f"a record changed {time.monotonic() - begun:.2f} s after the event")

    told = api.get(f"connections/{made['id']}/deliveries.list")["deliveries"][0]
    assert (told["event"], told["outcome"]) == ("pullrequest:created", "changed")


def _subscribed(url: str, secret: str) -> dict[str, Any]:
    about = {"description": "Tributary", "created_at": datetime.now(UTC)}
    return {**about, "url": url, "secret": secret, "events": ["pullrequest:created"]}


def _is_fetched(api: Api, made: dict[str, Any]) -> bool:
    method = f"connections/{made['id']}/deliveries.list"
    rows = api.get(method, state="done", event="pullrequest:created")["deliveries"]
    return bool(rows)


@pytest.fixture(scope="module")
def silent() -> Iterator[int]:
    """The port of a broker that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield server.getsockname()[1]


@pytest.mark.services
@pytest.mark.parametrize("broker", ["silent", "away", "there"])
def test_no_broker_keeps_anybody_waiting(
    world: Sandbox, furnished: Path, tmp_path: Path, silent: int, broker: str
) -> None:
    with services("hooks") as settings:
        ports = {"silent": silent, "away": free_port(20000 + secrets.randbelow(2000))}
        if broker in ports:
            settings["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{ports[broker]}/0"
        house = House(tmp_path, addresses(world), settings)
        try:
            house.prepare(furnished)
            house.open_web()
            api, made, url, secret = hooked(house, world, "Away")
            took = sorted(_send(url, secret) for _ in range(MANY))
            stored = api.get(f"connections/{made['id']}/deliveries.list")["deliveries"]
        finally:
            house.close()

    assert {row["state"] for row in stored} == {"queued"}
    assert len(stored) == MANY
    assert sum(took) < 20, "a single message to this broker takes as long"
    middle, most = took[MANY // 2] * 1000, took[-1] * 1000
    print(f"broker {broker}: answered in {middle:.0f} ms in the middle, {most:.0f} at most")


def _send(url: str, secret: str) -> float:
    """How long the answer to one delivery took, in seconds."""
    raw = json.dumps({"repository": {"uuid": "{r}"}, "pullrequest": {"id": 1}}).encode()
    headers = {
        "X-Event-Key": "pullrequest:updated",
        "X-Request-UUID": request_uuid(),
        "X-Hub-Signature": signature(secret, raw),
    }
    begun = time.monotonic()
    answer = requests.post(url, raw, headers=headers, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    return time.monotonic() - begun
