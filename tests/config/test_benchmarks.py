"""`make bench` finds all that it measures, in a process in which nothing is set up."""

import subprocess
import sys

from tests.config.test_environment import ROOT

FIND = "from tests.benchmarks.__main__ import names; print(*names())"


def test_every_subject_is_found() -> None:
    found = subprocess.run(
        [sys.executable, "-c", FIND], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    subjects = [one.stem for one in (ROOT / "tests/benchmarks").glob("*.py")]
    with_runs = [one for one in subjects if "\nRUNS = " in _text(one)]
    assert found == sorted(with_runs)
    assert {"sync", "memory", "credentials_list"} <= set(found)


def _text(name: str) -> str:
    return (ROOT / "tests/benchmarks" / f"{name}.py").read_text()
