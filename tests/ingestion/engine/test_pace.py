"""A slice asks for more at a time while Bitbucket answers readily, and for less in trouble."""

import threading
from typing import Any

import pytest

from connections.transport.errors import NotFound, ProviderError, RateLimited, Unavailable
from ingestion.engine.pace import FIRST, WITH_EACH, Pace


def rounds(pace: Pace, count: int, seconds: float, error: ProviderError | None = None) -> None:
    for _ in range(count):
        for _ in range(pace.now):
            pace.hear(seconds, error)


def test_grows_while_answers_are_quick_up_to_what_credentials_allow(settings: Any) -> None:
    settings.SYNC_FETCHERS = 100
    pace = Pace(credentials=2)
    rounds(pace, 1, 0.3)
    assert pace.now == FIRST + 1
    rounds(pace, 100, 0.3)
    assert pace.now == 2 * WITH_EACH


def test_grows_no_further_once_answers_take_longer() -> None:
    pace = Pace()
    rounds(pace, 2, 0.3)
    rounds(pace, 5, 0.6)
    assert pace.now == FIRST + 2


@pytest.mark.parametrize("error", [RateLimited("often"), Unavailable("down")])
def test_trouble_halves_it_once_in_a_round_and_it_comes_back(error: ProviderError) -> None:
    pace = Pace()
    rounds(pace, 1, 0.3, error)
    assert pace.now == FIRST // 2
    rounds(pace, 9, 0.3, error)
    assert pace.now == 1
    rounds(pace, 3, 0.3)
    assert pace.now == 4


def test_a_refusal_of_one_thing_is_no_trouble() -> None:
    pace = Pace()
    rounds(pace, 1, 0.3, NotFound("gone"))
    assert pace.now == FIRST + 1


def test_the_setting_bounds_it(settings: Any) -> None:
    settings.SYNC_FETCHERS = 3
    pace = Pace(credentials=5)
    rounds(pace, 9, 0.3)
    assert pace.now == 3


def test_no_more_than_that_are_under_way(settings: Any) -> None:
    settings.SYNC_FETCHERS = 2
    pace, here, most = Pace(), threading.Semaphore(0), list[int]()
    inside, go_on = threading.Semaphore(2), threading.Event()

    def ask() -> None:
        with pace.turn():
            most.append(int(not inside.acquire(blocking=False)))
            here.release()
            go_on.wait(10)
            inside.release()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert here.acquire(timeout=10)
    assert here.acquire(timeout=10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert most == [0] * 6
