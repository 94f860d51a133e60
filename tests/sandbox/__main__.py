"""The sandbox as a process of its own: python -m tests.sandbox --help."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from dataclasses import fields
from datetime import datetime

from tests.sandbox.generation import Scale
from tests.sandbox.sandbox import Sandbox

LOOK = 0.3
EPILOG = """\
When it serves, it prints one line of JSON: {"url", "api_url", "web_url", "control_url"}.
GET /control/state tells workspaces, credentials, consumers, counts; /control/ is a page for people.
POST /control/change/NAME with a JSON object makes one change of tests/sandbox/change, for example
  curl -d '{"workspace": "acme", "repository": "api", "number": 1}' URL/control/change/comment
Everything else that it can do stands in tests/sandbox/README.md.
"""


def arguments() -> argparse.ArgumentParser:
    """Port, size, seed, latency and quota."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox",
        description="A simulated Bitbucket Cloud on 127.0.0.1.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same world")
    parser.add_argument(
        "--until",
        type=datetime.fromisoformat,
        help="the newest thing, as ISO 8601 with a zone; default an hour ago",
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--quota-window", type=float, default=3600.0, help="seconds")
    parser.add_argument("--quota-limit", type=int, default=1000, help="requests in a window")
    parser.add_argument("--demo", action="store_true", help="known credentials, see /control/state")
    parser.add_argument("--plain", action="store_true", help="no odd pull requests and pipelines")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the parent ends")
    for size in fields(Scale):
        if size.name != "awkward":
            option = "--" + size.name.replace("_", "-")
            parser.add_argument(option, type=int, default=size.default, help="default %(default)s")
    return parser


def main() -> None:
    """Serve until SIGTERM, SIGINT or the parent's end."""
    options = arguments().parse_args()
    if options.die_with_parent:
        _die_with_parent()
    sizes = {s.name: getattr(options, s.name) for s in fields(Scale) if s.name != "awkward"}
    scale = Scale(**sizes, awkward=not options.plain)
    sandbox = Sandbox(options.seed, scale, until=options.until, demo=options.demo)
    sandbox.site.quota_window, sandbox.site.quota_limit = options.quota_window, options.quota_limit
    sandbox.quota.window, sandbox.quota.limit = options.quota_window, options.quota_limit
    sandbox.latency = options.latency
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with sandbox.start(options.port):
        print(json.dumps(_addresses(sandbox)), flush=True)
        sandbox.server.wait()


def _addresses(sandbox: Sandbox) -> dict[str, str]:
    return {
        "url": sandbox.url,
        "api_url": sandbox.api_url,
        "web_url": sandbox.web_url,
        "control_url": f"{sandbox.url}/control/",
    }


def _die_with_parent() -> None:
    """Look now and then: Linux's own signal would follow the parent's thread, not the parent."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
