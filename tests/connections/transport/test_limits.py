"""An answer ends in time, and is not larger than it may be."""

import gzip
import os
import time

import pytest
from pytest_django.fixtures import Settings

from connections.transport.errors import UnexpectedResponse, Unreachable
from tests.connections.transport.asking import failure, transport_to
from tests.connections.transport.servers import AT_ONCE, answer, says, serving


def test_a_hang_ends_at_the_deadline(settings: Settings) -> None:
    started = time.monotonic()

    error = failure(says(b"", pause=5), settings, deadline=0.3)

    assert isinstance(error, Unreachable)
    assert "0.3 seconds" in error.message
    assert time.monotonic() - started < AT_ONCE


def test_a_forked_process_keeps_deadlines_too(settings: Settings) -> None:
    """Celery's workers are forked; the thread that keeps deadlines is not."""
    with serving(says(answer(), pause=0)) as server:
        transport_to(server, settings).get("/user")
    with serving(says(b"", pause=5)) as server:
        transport = transport_to(server, settings, deadline=0.3)
        child = os.fork()
        if child == 0:
            try:
                transport.get("/user")
            except Unreachable:
                os._exit(7)
            finally:
                os._exit(1)
        for _ in range(100):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            time.sleep(0.05)

    assert done == child
    assert os.waitstatus_to_exitcode(status) == 7


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\n", *([b"X-More: y\r\n"] * 50)],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *([b"1"] * 50)],
    ],
    ids=["headers", "body"],
)
def test_an_answer_that_drips_ends_at_the_deadline(parts: list[bytes], settings: Settings) -> None:
    started = time.monotonic()

    error = failure(says(*parts, pause=0.1), settings, deadline=0.5)

    assert isinstance(error, Unreachable)
    assert time.monotonic() - started < AT_ONCE


def test_an_answer_that_is_too_large_is_not_read(settings: Settings) -> None:
    error = failure(says(answer(b"[" + b" " * 200_000 + b"]")), settings, max_body=100_000)

    assert isinstance(error, UnexpectedResponse)
    assert "larger than" in error.message


def test_the_size_counts_after_decompression(settings: Settings) -> None:
    bomb = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    assert len(bomb) < 10_000

    error = failure(says(answer(bomb, Content_Encoding="gzip")), settings, max_body=1_000_000)

    assert isinstance(error, UnexpectedResponse)
    assert "larger than" in error.message
