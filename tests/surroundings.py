"""What tests find around them: PostgreSQL, Redis, a browser. Must be there where CI says so."""

import os
import shutil
import socket
from collections.abc import Iterator
from functools import cache

import pytest

PORTS = {"PostgreSQL": 5432, "Redis": 6379}
CHROMIUM = "/usr/bin/chromium"


@cache
def listens(port: int) -> bool:
    """Whether a server answers on this port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@cache
def browser() -> str:
    """The path of Chromium, or an empty text."""
    return CHROMIUM if os.path.exists(CHROMIUM) else shutil.which("chromium") or ""


def lacking(item: pytest.Item) -> Iterator[str]:
    """Why a test is skipped here. Nothing where it must run: then it fails by itself."""
    if item.get_closest_marker("services") and os.environ.get("REQUIRE_SERVICES") != "1":
        for name, port in PORTS.items():
            if not listens(port):
                yield f"no {name} answers on 127.0.0.1:{port}"
    if item.get_closest_marker("browser") and os.environ.get("CI") != "true" and not browser():
        yield "there is no Chromium on this machine"
