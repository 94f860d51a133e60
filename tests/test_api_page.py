"""docs/api.md: every method stands in it, and its commands do what it says, in their order."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from pytest_django.fixtures import Settings

from ingestion.quota import forget_lots
from tests.connections.conftest import token
from tests.described import OPERATIONS, method_of
from tests.factories import DeliveryFactory
from tests.sandbox import Sandbox, Scale
from tests.tenants.conftest import key, make_key

__all__ = ("key", "make_key", "token")

PAGE = Path(settings.BASE_DIR / "docs" / "api.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
KEPT = {
    "connection": "CONNECTION",
    "credential": "CREDENTIAL",
    "sync": "SYNC",
    "repositories": "REPOSITORY",
    "deliveries": "DELIVERY",
}


def called(command: str) -> str:
    """The method that a command calls."""
    return method_of(command.partition("$TRIBUTARY_URL")[2].partition('"')[0])


def test_every_method_stands_in_it() -> None:
    assert {called(command) for command in COMMANDS} == set(OPERATIONS)


def test_the_commands_do_what_it_says(
    live_server: Any, key: str, token: str, sandbox: Sandbox, settings: Settings
) -> None:
    sandbox.reset(scale=Scale(repositories=2, pull_requests=4, pipelines=2, people=3))
    settings.SYNC_RETRY_DELAYS = []
    forget_lots()
    variables = {
        "TRIBUTARY_URL": live_server.url,
        "TRIBUTARY_KEY": key,
        "SECRET": sandbox.tokens.workspace("acme"),
    }

    for command in COMMANDS:
        if called(command) == "syncs.start":
            sandbox.faults.add("/pipelines", status=500)  # so that there is something to retry
        if called(command) == "syncs.retry":
            sandbox.faults.clear()
        if called(command) == "deliveries.list":
            DeliveryFactory.create(connection_id=int(variables["CONNECTION"]))
        ran = subprocess.run(
            ["sh", "-c", command], env={**os.environ, **variables}, capture_output=True, text=True
        )
        assert ran.returncode == 0, (command, ran.stderr)
        if called(command) == "records.export":
            assert ran.stdout.startswith("id,")
            continue
        answer = json.loads(ran.stdout)
        assert answer["ok"], (command, answer)
        for name, variable in KEPT.items():
            row = answer.get(name)
            row = row[0] if isinstance(row, list) and row else row
            if isinstance(row, dict):
                variables[variable] = str(row["id"])
