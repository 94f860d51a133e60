"""A whole installation and a real browser. Each page that a test looks at is checked with axe."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.visitor import Visitor
from tests.house import House, addresses
from tests.sandbox import Sandbox, Scale
from tests.surroundings import browser

# The browser's driver keeps an event loop in this thread; no test here touches the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

SCALE = Scale(repositories=4, pull_requests=30, pipelines=10, people=12)


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's own Chromium."""
    if not browser():
        pytest.fail("There is no Chromium on this machine, and CI promises one.")
    return {**browser_type_launch_args, "executable_path": browser(), "args": ["--no-sandbox"]}


@pytest.fixture(scope="package")
def world() -> Iterator[Sandbox]:
    with Sandbox(seed=3, scale=SCALE, demo=True) as sandbox:
        sandbox.quota.limit = 1_000_000
        yield sandbox


@pytest.fixture(scope="package")
def house(
    world: Sandbox, furnished: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Web, worker and beat on SQLite and files, talking to the sandbox; not beside other tests."""
    made = House(tmp_path_factory.mktemp("e2e"), addresses(world), {"SIGNUP": "open"})
    try:
        made.prepare(furnished)
        made.open_web()
        made.worker()
        made.beat()
        yield made
    finally:
        made.close()


@pytest.fixture
def visitor(house: House, world: Sandbox, page: Page, context: BrowserContext) -> Iterator[Visitor]:
    """Somebody at a browser; at the end nothing was wrong in its console."""
    made = Visitor(page, house, world)
    yield made
    world.latency = 0.0
    world.faults.clear()
    assert made.complaints == []
