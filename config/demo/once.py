"""The main job without a browser, step by step, each with what it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from config.demo import connections
from config.demo.api import Api
from config.demo.bitbucket import ACME_TOKEN

Tell = Callable[[str], None]
TABLES = ("repositories", "people", "pull_requests", "pipelines")
HELD_BACK = 30  # seconds; ten and the time that a busy machine takes


class WentWrong(Exception):
    """A step of the main job did not do what it should. The message says which and why."""


def main_job(api: Api, tell: Tell) -> None:
    """Do it, step by step. Raises WentWrong, Refused, TimeoutError."""
    with _timed(tell, "connections.create, verified on the way"):
        made = connections.connect(api, "Engineering workspace", "acme", ACME_TOKEN)
    with _timed(tell, "connections.verify"):
        found = api.post("connections.verify", id=made["id"])["verification"]
    _tell_checks(found, tell)
    with _timed(tell, "syncs.start, until its end"):
        row = connections.sync(api, made["id"])
    _tell_streams(row, tell)
    created = {stream["stream"]: stream["created"] for stream in row["streams"]}
    with _timed(tell, "records.list, which holds the last 10 s back"):
        listed = {table: _all_listed(api, made["id"], table, created[table]) for table in TABLES}
    for table, count in listed.items():
        tell(f"    {table:<24}{count:>8,} listed")


@contextmanager
def _timed(tell: Tell, step: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    tell(f"{step:<44}{time.monotonic() - start:>7.2f} s")


def _tell_checks(verification: dict[str, Any], tell: Tell) -> None:
    checks = verification["checks"]
    passed = sum(check["outcome"] == "ok" for check in checks)
    tell(f"    {passed} of {len(checks)} checks pass")
    if verification["outcome"] != "ok":
        raise WentWrong(f"The verification says {verification['outcome']}.")


def _tell_streams(sync: dict[str, Any], tell: Tell) -> None:
    for stream in sync["streams"]:
        tell(f"    {stream['stream']:<24}{stream['created']:>8,} created  {stream['state']}")
    tell(f"    {sync['requests']:,} requests to Bitbucket")
    if sync["state"] != "succeeded":
        raise WentWrong(f"The sync ended {sync['state']}: {sync['error']}")
    if not sync["counts"].get("created"):
        raise WentWrong("The sync ended, and nothing was copied.")


def _all_listed(api: Api, connection: int, table: str, created: int) -> int:
    """The number of rows of a table once as many are listed as were created."""
    until = time.monotonic() + HELD_BACK
    while (count := _listed(api, connection, table)) < created:
        if time.monotonic() > until:
            raise WentWrong(f"records.list shows {count:,} of {created:,} {table}.")
        time.sleep(0.5)
    return count


def _listed(api: Api, connection: int, table: str) -> int:
    """The number of rows of a table, page by page."""
    method, values, count = f"connections/{connection}/records.list", {"limit": "100"}, 0
    while True:
        page = api.get(method, table=table, **values)
        count += len(page["records"])
        following = page["response_metadata"]["next_cursor"]
        if not following:
            return count
        values["cursor"] = following
