"""Houses for the tests of processes: one on SQLite and files, one on PostgreSQL and Redis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House, addresses, services
from tests.sandbox import Sandbox, Scale

SCALE = Scale(repositories=6, pull_requests=40, pipelines=10, people=10)


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They share two cores and Redis: one after the other, in one process."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.processes)
            item.add_marker(pytest.mark.xdist_group("processes"))


@pytest.fixture(scope="package")
def world() -> Iterator[Sandbox]:
    with Sandbox(seed=7, scale=SCALE) as sandbox:
        sandbox.quota.limit = 1_000_000
        yield sandbox


@pytest.fixture(scope="package")
def embedded(
    world: Sandbox, furnished: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """SQLite and the file broker."""
    made = House(tmp_path_factory.mktemp("embedded"), addresses(world), {})
    yield from _living(made, furnished)


@pytest.fixture(scope="package")
def served(
    world: Sandbox, furnished: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """PostgreSQL and Redis."""
    with services("house") as settings:
        made = House(tmp_path_factory.mktemp("served"), addresses(world), settings)
        yield from _living(made, furnished)


def _living(made: House, furnished: Path) -> Iterator[House]:
    try:
        made.prepare(furnished)
        made.open_web()
        made.beat()
        yield made
    finally:
        made.close()


@pytest.fixture(
    params=["embedded", pytest.param("served", marks=pytest.mark.services)],
)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """Each test runs in both, and begins without a worker."""
    found: House = request.getfixturevalue(request.param)
    yield found
    found.end_workers()
