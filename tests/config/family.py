"""A supervisor with two children that have a child each: `python -m tests.config.family`."""

import sys

from config.supervisor import Process, Stopped, Supervisor

LINGER = "import time; time.sleep(60)"
PARENT = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {LINGER!r}])
print("up", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


def main(*, is_stubborn: bool) -> None:
    programs = {"parent": PARENT, "other": STUBBORN if is_stubborn else PARENT}
    with Supervisor(patience=1.0 if is_stubborn else 7.0) as supervisor:
        for name, program in programs.items():
            process = supervisor.start(Process(name, [sys.executable, "-c", program]))
            supervisor.wait_until(process, lambda: bool(process.lines), seconds=20)  # noqa: B023
        print("ready", flush=True)
        supervisor.watch()


if __name__ == "__main__":
    try:
        main(is_stubborn="stubborn" in sys.argv)
    except Stopped:
        print("stopped", flush=True)
