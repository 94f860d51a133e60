"""Runs a command that ends when its parent does: `python config/tied.py <parent's pid> <command>`.

It is run as a file, so that nothing of the project is imported on the way.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> int:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it could be watched
            return 1
        os.execvp(command[0], command)  # noqa: S606  # the command is the supervisor's own
    return _watch(parent, command)


def _watch(parent: int, command: list[str]) -> int:
    """Where the kernel does not tell of a parent's death: look twice a second."""
    with subprocess.Popen(command) as child:  # noqa: S603  # the command is the supervisor's own
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while child.poll() is None:
            if os.getppid() != parent:
                child.terminate()
            time.sleep(0.5)
        return child.returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
