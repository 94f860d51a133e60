"""`manage.py sync` beside its bar. What it does is tested in tests/processes/."""

import logging
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    yield
    root.setLevel(level)


def test_log_lines_do_not_tear_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)

    with pytest.raises(CommandError, match="There is no connection 999"):
        call_command("sync", "999")

    assert logging.getLogger().level == logging.WARNING


def test_who_asks_for_log_lines_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "INFO")

    with pytest.raises(CommandError):
        call_command("sync", "999")

    assert logging.getLogger().level == logging.INFO
