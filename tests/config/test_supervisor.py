"""Several processes as one: ended together, and never left behind."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from config.demo.api import Api
from config.supervisor import DidNotStart, Process, Supervisor, free_port, port_number
from tests.house import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent


def start(*arguments: str) -> subprocess.Popen[str]:
    """A supervisor with two children, one of which has a child of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.config.family", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def descendants(pid: int) -> set[int]:
    """The pids below a process, as /proc tells them."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= {int(child)} | descendants(int(child))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pids: set[int], *, seconds: float) -> set[int]:
    """Those of the processes that are still alive after so many seconds."""
    deadline = time.monotonic() + seconds
    while (alive := {pid for pid in pids if is_alive(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_and_leaves_no_process(number: signal.Signals) -> None:
    supervisor = start()
    below = descendants(supervisor.pid)
    assert len(below) == 4

    supervisor.send_signal(number)

    assert supervisor.wait(timeout=10) == 0
    assert wait_for_end(below, seconds=1) == set()


def test_a_process_that_ignores_the_end_is_killed() -> None:
    supervisor = start("stubborn")
    below = descendants(supervisor.pid)

    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(timeout=10) == 0
    assert wait_for_end(below, seconds=1) == set()


def test_the_children_end_when_the_supervisor_is_killed() -> None:
    supervisor = start()
    children = {
        int(pid)
        for pid in Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children")
        .read_text()
        .split()
    }
    others = descendants(supervisor.pid) - children

    supervisor.kill()
    supervisor.wait()

    assert wait_for_end(children, seconds=5) == set()
    for pid in others:  # the programs of this test do not look after their own children
        os.kill(pid, signal.SIGKILL)


def test_a_busy_port_is_stepped_over() -> None:
    first = free_port(23000)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", first))
        busy.listen()

        assert free_port(first) == first + 1


def test_a_process_that_ends_at_once_is_named() -> None:
    supervisor = Supervisor(output=io.StringIO())
    process = supervisor.start(Process("broken", [sys.executable, "-c", "raise SystemExit(1)"]))

    with pytest.raises(DidNotStart, match="broken ended while it started"):
        supervisor.wait_until(process, lambda: False, seconds=5)


def test_lines_are_passed_on_with_the_name_before_them_and_empty_ones_are_not() -> None:
    output = io.StringIO()
    program = "print('one'); print(); print('two')"
    process = Supervisor(output=output).start(Process("web", [sys.executable, "-c", program]))

    wait_until(lambda: process.has_ended and "two\n" in output.getvalue(), seconds=10)

    assert output.getvalue() == "     web │ one\n     web │ two\n"


def test_whoever_waits_for_something_else_hears_of_a_process_that_ended() -> None:
    supervisor = Supervisor(output=io.StringIO())
    process = supervisor.start(Process("worker", [sys.executable, "-c", "raise SystemExit(1)"]))
    assert process.popen is not None
    process.popen.wait(timeout=10)
    api = Api("http://127.0.0.1:1", "key", before=supervisor.require_all)

    with pytest.raises(DidNotStart, match="worker ended by itself"):
        api.get("connections.list")


@pytest.mark.parametrize("text", ["0", "-5", "65536", "http", "", "8_000"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="ports are from 1 to 65535"):
        port_number(text)


def test_ports_end_at_the_last_one() -> None:
    with pytest.raises(DidNotStart, match="No port from 65630 to 65535 can be used"):
        free_port(65630)
