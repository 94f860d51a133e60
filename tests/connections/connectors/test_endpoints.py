"""What is asked of a provider is declared, and told in the docs."""

import re
from pathlib import Path

from connections.connectors import connectors
from tests.house import ROOT

SOURCE = re.compile(r"/(src|diff|diffstat|patch|archive|get|raw|downloads)(/|$)")
PAGE = Path(ROOT) / "docs" / "endpoints.md"


def test_no_source_code_is_among_the_endpoints() -> None:
    paths = [one.path for connector in connectors().values() for one in connector.endpoints]

    assert paths
    assert [path for path in paths if SOURCE.search(path)] == []


def test_every_check_asks_a_declared_endpoint() -> None:
    for connector in connectors().values():
        declared = {re.sub(r"{\w+}", "{}", one.path) for one in connector.endpoints}
        asked = {re.sub(r"{\w+}", "{}", check.path.partition("?")[0]) for check in connector.checks}

        assert asked <= declared


def test_the_docs_list_every_endpoint() -> None:
    page = PAGE.read_text()

    for connector in connectors().values():
        section = page.split(f"## {connector.label}\n")[1].split("\n## ")[0]
        listed = re.findall(r"^\| `(\w+) ([^`]+)` \| (.+?) \|", section, re.MULTILINE)
        assert listed == [(one.method, one.path, one.why) for one in connector.endpoints]
