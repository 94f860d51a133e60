"""A connection whose deliveries are followed in this process."""

import json
from typing import Any

import pytest

from ingestion.engine import following
from ingestion.models import (
    Coverage,
    Delivery,
    State,
)
from tests.factories import DeliveryFactory
from tests.hooks import about_pull_request
from tests.ingestion.engine.conftest import EVERYTHING, Copied
from tests.sandbox import Sandbox, Scale


@pytest.fixture
def scale() -> Scale:
    return Scale(repositories=2, pull_requests=8, pipelines=6, people=6)


@pytest.fixture
def whole(copied: Copied) -> Copied:
    """Everything that can be copied, once."""
    assert copied.choose(*EVERYTHING).sync().state == State.SUCCEEDED
    return copied


@pytest.fixture
def place(whole: Copied, sandbox: Sandbox) -> Any:
    """A repository with open pull requests, as the sandbox has it."""
    repositories = sandbox.world.workspaces["acme"].repositories.values()
    return next(one for one in repositories if any(pr.state == "OPEN" for pr in prs(one)))


def prs(place: Any) -> list[Any]:
    return list(place.pull_requests.values())


def opened(place: Any) -> Any:
    return next(one for one in prs(place) if one.state == "OPEN")


def at(place: Any) -> tuple[str, str]:
    return "acme", place.slug


def deliver(whole: Copied, event: str, body: dict[str, Any], **values: Any) -> Delivery:
    """What became of a delivery that was stored and followed."""
    row = DeliveryFactory.create(
        connection=whole.connection,
        event=event,
        body=json.dumps(body),
        state=Delivery.State.QUEUED,
        outcome="",
        **values,
    )
    hint = following.hint_of(row)
    if hint:
        Delivery.objects.filter(pk=row.pk).update(about=hint.about)
    following.follow(row.pk)
    return Delivery.objects.get(pk=row.pk)


def about(place: Any, number: int, updated_on: Any) -> dict[str, Any]:
    return about_pull_request(place, number, updated_on)


def ended(row: Delivery) -> tuple[str, str]:
    assert row.error is None, row.error
    assert row.processed_at
    assert row.ms is not None
    return row.state, row.outcome


def coverage() -> list[Any]:
    return list(Coverage.objects.order_by("pk").values())
