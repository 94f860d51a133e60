"""How much memory the threads of a worker keep."""

import ctypes
import os

ARENA_MAX = -8  # the number of the option in glibc's malloc.h
ARENAS = 2


def share_arenas() -> None:
    """Let all threads take their memory from two places.

    By itself glibc gives each thread a place of its own, which keeps what it once held: with
    sixteen that fetch, a long sync needs a fifth more than a short one. Other C libraries have no
    such option, and an operator's own choice stays.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(ARENA_MAX, ARENAS)
