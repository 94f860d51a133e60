"""A worker's threads keep no memory of their own."""

import subprocess
import sys

import pytest

from tests.house import ROOT

THREADS = """
import ctypes, sys, threading
from config.memory import share_arenas

if sys.argv[1] == "share":
    share_arenas()
libc, together = ctypes.CDLL(None), threading.Barrier(9)


def work():
    held = [bytes(5_000) for _ in range(100)]
    together.wait()
    together.wait()


for _ in range(8):
    threading.Thread(target=work).start()
together.wait()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
together.wait()
"""


def arenas(how: str, environment: dict[str, str]) -> int:
    """In how many places of glibc's a process with eight more threads keeps its memory."""
    command = [sys.executable, "-c", THREADS, how]
    told = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    return told.count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries have no arenas")
def test_threads_share_their_memory_unless_the_operator_says_otherwise() -> None:
    assert arenas("each its own", {}) > 2
    assert arenas("share", {}) == 2
    assert arenas("share", {"MALLOC_ARENA_MAX": "5"}) == 5
