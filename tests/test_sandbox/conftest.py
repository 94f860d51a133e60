"""One running sandbox for all of these tests, fresh for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox import Sandbox, Scale
from tests.test_sandbox.client import Client


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1, scale=SCALE) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.reset(scale=SCALE, seed=1)
    return running_sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client with a workspace token that may read everything in acme."""
    with Client(sandbox, sandbox.tokens.workspace("acme")) as client:
        yield client


SCALE = Scale(repositories=2, pull_requests=60, pipelines=30, people=12)
