"""Runs Python for a house, in forks of a process that has loaded everything.

`python -m tests.errands` takes lines of JSON: commands as they are typed behind `python`. It
answers each with a line of JSON: {"code", "said"}, the exit code and what was printed. A fork
takes hundredths of a second; Python, Django and all of Tributary take seconds.
"""

import json
import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Sequence
from tempfile import TemporaryFile

FORK = multiprocessing.get_context("fork")


def ask(process: subprocess.Popen[bytes], command: Sequence[str]) -> str:
    """Let such a process run a command; what that printed. Raises CalledProcessError."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(command).encode() + b"\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    said: str = answer["said"]
    if answer["code"]:
        raise subprocess.CalledProcessError(answer["code"], command, said)
    return said


def main() -> None:
    import django
    from django.core import checks

    django.setup()
    checks.run_checks()  # it loads what the commands would, each for itself
    for line in sys.stdin:
        with TemporaryFile() as output:
            errand = FORK.Process(target=run, args=(json.loads(line), output.fileno()))
            errand.start()
            errand.join()
            output.seek(0)
            answer = {"code": errand.exitcode, "said": output.read().decode()}
        print(json.dumps(answer), flush=True)


def run(command: list[str], output: int) -> None:
    """Be the command, and print to this file descriptor."""
    os.dup2(output, 1)
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
