"""A sync of everything asks what is declared, and nothing of source code."""

import re

from connections.connectors import connector
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Sandbox


def test_all_streams_ask_declared_endpoints_only(copied: Copied, sandbox: Sandbox) -> None:
    kind = connector(copied.connection.connector)
    copied.choose(*(stream.key for stream in kind.streams))
    declared = [
        re.compile(f"{one.method} /2.0{re.sub(r'{[^}]+}', '[^/]+', one.path)}/?")
        for one in kind.endpoints
    ]

    copied.sync()
    sandbox.change.comment("acme", "api", 3)
    copied.sync("full")

    asked = {f"{one.method} {one.path}" for one in sandbox.requests}
    assert len(asked) > 20
    assert {one for one in asked if not any(each.fullmatch(one) for each in declared)} == set()
    assert sandbox.source_requests == 0
