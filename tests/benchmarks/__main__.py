"""`make bench`: measures, with the aim beside each figure; `make bench ONLY=sync` one subject.

A figure that misses its aim is marked (!), and named again at the end.
"""

import argparse
import json
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType

import tests.benchmarks
from tests.benchmarks.figures import POSTGRES, SQLITE, Figure, Run, Surroundings
from tests.house import ROOT, services
from tests.surroundings import PORTS, listens

REDIS = (12, 13)  # tests use others
MISSED = "missed"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", help="such as sync; all of them without")
    parser.add_argument("--on", choices=(POSTGRES, SQLITE), help="one database alone")
    parser.add_argument("--run", help=argparse.SUPPRESS)  # in a process of its own: one run
    options = parser.parse_args()
    subjects = [subject(name) for name in options.subjects or names()]
    if options.run:
        take(run_of(subjects[0], options.run), options.on)
        return
    databases = [options.on] if options.on else available()
    missed = [name for each in subjects for name in print_subject(each, databases)]
    print(f"\nMissed: {'; '.join(missed)}" if missed else "\nEvery aim is met.")


def names() -> list[str]:
    """Every module of this package that has runs."""
    found = (module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__))
    return [name for name in found if name != "__main__" and hasattr(subject(name), "RUNS")]


def subject(name: str) -> ModuleType:
    return import_module(f"tests.benchmarks.{name}")


def run_of(module: ModuleType, name: str) -> Run:
    found: Run = next(run for run in module.RUNS if run.__name__ == name)
    return found


def available() -> list[str]:
    """The databases of this machine."""
    if all(listens(port) for port in PORTS.values()):
        return [POSTGRES, SQLITE]
    print("PostgreSQL and Redis do not answer: SQLite alone is measured", file=sys.stderr)
    return [SQLITE]


def print_subject(module: ModuleType, databases: list[str]) -> list[str]:
    """The table of one subject, a line for each measure. Returns the measures that miss theirs."""
    table: dict[str, dict[str, Figure]] = {}
    for run in module.RUNS:
        for database in databases:
            for figure in taken(module, run, database):
                table.setdefault(figure.measure, {})[database] = figure
    print(f"\n{(module.__doc__ or '').strip()}\n")
    head = ("measure", "aim", *databases, "")
    print_table([head, *(line(table[one], databases) for one in table)])
    return [one for one, figures in table.items() if verdict(figures) == MISSED]


def taken(module: ModuleType, run: Run, database: str) -> Iterator[Figure]:
    """The figures of one run, in a process of its own."""
    name = module.__name__.rpartition(".")[2]
    command = [sys.executable, "-m", "tests.benchmarks", name, "--run", run.__name__]
    process = subprocess.run(
        [*command, "--on", database], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    for told in json.loads(process.stdout.splitlines()[-1]):
        yield Figure(**told)


def take(run: Run, database: str) -> None:
    """Do one run here; the last line printed are its figures."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tributary-bench-"))
        is_served = database == POSTGRES
        settings = stack.enter_context(services("bench", *REDIS)) if is_served else {}
        figures = list(run(Surroundings(database, Path(folder), settings)))
    print(json.dumps([figure.as_dict() for figure in figures]))


def line(figures: dict[str, Figure], databases: list[str]) -> tuple[str, ...]:
    first = next(iter(figures.values()))
    aim = next((figure.aim for figure in figures.values() if figure.aim), "")
    cells = (figures[one].cell if one in figures else "–" for one in databases)
    return (first.measure, aim, *cells, verdict(figures))


def verdict(figures: dict[str, Figure]) -> str:
    """Whether a measure keeps its aim on every database that has one; empty where none has."""
    aimed = [figure for figure in figures.values() if figure.aim]
    if not aimed:
        return ""
    return "met" if all(figure.is_met for figure in aimed) else MISSED


def print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip(), flush=True)


if __name__ == "__main__":
    main()
