"""States have a word and a shape; charts are plain numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from connections.models import Connection, Credential
from ingestion.models.sync import State
from tenants import badges, charts

START = datetime(2026, 3, 10, 14, 0, tzinfo=UTC)


@dataclass
class Run:
    """What a chart reads of a sync."""

    pk: int
    state: str = "succeeded"
    reason: str = ""
    resume_at: datetime | None = None
    minutes: int = 4

    @property
    def created_at(self) -> datetime:
        return START + timedelta(hours=self.pk)

    started_at = created_at

    @property
    def finished_at(self) -> datetime:
        return self.created_at + timedelta(minutes=self.minutes)


def test_every_state_has_its_own_word_and_shape() -> None:
    for states, known in (
        (Connection.Status.values, badges.CONNECTIONS),
        (Credential.Status.values, badges.CREDENTIALS),
        (State.values, badges.STATES),
    ):
        assert set(states) == set(known)
        assert len({badge["label"] for badge in known.values()}) == len(known)


def test_a_waiting_sync_says_until_when() -> None:
    resume_at = datetime(2126, 3, 10, 14, 5, tzinfo=UTC)  # as far away all day long

    label = badges.of_sync(Run(1, state="waiting", reason="quota", resume_at=resume_at))["label"]

    assert label == "Waiting until 10 Mar 2126, 14:05"


def test_an_incomplete_sync_says_how_much() -> None:
    assert badges.of_sync(Run(1, state="partial"), 3, 1000)["label"] == "Incomplete: 3 of 1,000"


@pytest.mark.parametrize(
    ("check", "shape", "label"),
    [
        ({"state": "done", "status": 200, "outcome": "ok"}, "✓", "200"),
        ({"state": "done", "status": 403, "outcome": "invalid_permissions"}, "✕", "403"),
        ({"state": "done", "status": 403, "outcome": "x", "optional": True}, "▲", "403"),
        ({"state": "done", "status": None, "outcome": "unreachable"}, "✕", "no answer"),
        ({"state": "asking"}, "◐", "asking"),
        ({"state": "waiting"}, "○", "waiting"),
    ],
)
def test_checks(check: dict[str, object], shape: str, label: str) -> None:
    badge = badges.of_check(check)

    assert (badge["shape"], badge["label"]) == (shape, label)


def test_the_strip_shows_the_last_twenty_and_hangs_failures() -> None:
    runs = [Run(pk, minutes=pk) for pk in range(1, 25)] + [Run(25, state="failed", minutes=24)]

    bars = charts.strip(reversed(runs))

    assert [bar.pk for bar in bars] == list(range(6, 26))
    assert bars[-2].y + bars[-2].height == charts.BASELINE
    assert bars[-1].y > charts.BASELINE
    assert bars[-2].height == charts.RISE
    assert bars[-1].sentence.startswith("Failed, 24 minutes, started ")


def test_stacked_parts_fill_the_whole() -> None:
    parts = charts.stacked([("a", 3, "good"), ("none", 0.001, "bad"), ("b", 1, "busy")])

    assert [(part.start, part.width) for part in parts] == [
        ("0.00%", "75.00%"),
        ("75.00%", "25.00%"),
    ]
