"""The simulated Bitbucket as a process, and what the others must know to talk to it."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

from config.environment import DEMO
from config.supervisor import Process, Supervisor

# The sandbox's known credentials (tests/sandbox/demo.py); they open nothing else.
ACME_TOKEN = "ATCTT3xFfGN0demo_acme_everything_2f6c1d0b9e8a7f54=0A1B2C3D"  # noqa: S105
GLOBEX_TOKEN = "ATCTT3xFfGN0demo_globex_without_pipeline_91d3b7a6e2=7A8B9C0D"  # noqa: S105
HOUR = 60  # seconds for which an hour of quota lasts
SIZE = ("--repositories", "12", "--pull-requests", "120", "--pipelines", "40")


def start(supervisor: Supervisor, port: int, options: Sequence[str] = ()) -> dict[str, str]:
    """Start it and return the addresses that it prints. Raises DidNotStart."""
    command = [sys.executable, "-m", "tests.sandbox", "--demo", "--port", str(port)]
    process = supervisor.start(
        Process("sandbox", [*command, "--quota-window", str(HOUR), *options])
    )
    supervisor.wait_until(process, lambda: bool(_addresses(process)), seconds=60)
    return _addresses(process)


def _addresses(process: Process) -> dict[str, str]:
    for line in process.lines:
        if line.startswith("{"):
            addresses: dict[str, str] = json.loads(line)
            return addresses
    return {}


def newest(folder: Path) -> str:
    """Until when the demo's world reaches: fixed at the first start, so that it stays the same."""
    path = folder / "demo-until"
    if not path.is_file():
        path.write_text(datetime.now(UTC).replace(microsecond=0).isoformat())
    return path.read_text()


def account(control_url: str, email: str) -> dict[str, str]:
    """The account by which the simulated Bitbucket knows a person, as its API tells of it."""
    with urlopen(f"{control_url}state", timeout=10) as answer:  # noqa: S310  # our own process
        people = json.load(answer)["personas"]
    found = next(one for one in people if one["email"] == email)
    return {
        "account_id": found["account_id"],
        "uuid": found["uuid"],
        "display_name": found["name"],
    }


def leave(folder: Path, settings: Mapping[str, str]) -> None:
    """Note the settings in the demo's folder, for commands that are given there beside the demo."""
    lines = [f"{name}={value}\n" for name, value in settings.items()]
    (folder / DEMO).write_text("".join(lines))


def environment(addresses: Mapping[str, str]) -> dict[str, str]:
    """The settings with which the others find it."""
    host = addresses["url"].removeprefix("http://")
    return {
        "BITBUCKET_CLOUD_API_URL": addresses["api_url"],
        "BITBUCKET_CLOUD_WEB_URL": addresses["web_url"],
        "BITBUCKET_OAUTH_CLIENT_ID": "tributary",
        "BITBUCKET_OAUTH_CLIENT_SECRET": "tributary-secret",
        "BITBUCKET_SIGNIN_CLIENT_ID": "tributary-signin",
        "BITBUCKET_SIGNIN_CLIENT_SECRET": "tributary-signin-secret",
        "CONNECTION_ALLOWED_PRIVATE_HOSTS": host,
        "SANDBOX_CONTROL_URL": addresses["control_url"],
        "QUOTA_WINDOW": str(HOUR),
    }
