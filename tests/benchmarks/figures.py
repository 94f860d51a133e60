"""What benchmarks consist of: runs that measure, and the figures that they return with their aims.

A subject is a module of this package with `RUNS`: functions that take the Surroundings and return
figures. Each run has a process of its own on each database, so that neither memory nor what is
warm passes from one to the next. A run that says nothing about a database returns nothing there.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

POSTGRES, SQLITE = "PostgreSQL", "SQLite"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What was measured, and between what it should lie; None: no aim."""

    measure: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def aim(self) -> str:
        if self.at_most is not None:
            return f"≤ {self._told(self.at_most)}"
        return "" if self.at_least is None else f"≥ {self._told(self.at_least)}"

    @property
    def cell(self) -> str:
        return self._told(self.value) + ("" if self.is_met else "  (!)")

    @property
    def is_met(self) -> bool:
        too_much = self.at_most is not None and self.value > self.at_most
        too_little = self.at_least is not None and self.value < self.at_least
        return not too_much and not too_little

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def _told(self, value: float) -> str:
        digits = 0 if value >= 100 or value == int(value) else 2
        return f"{value:,.{digits}f} {self.unit}".rstrip()


@dataclass(frozen=True)
class Surroundings:
    """Where a run takes place: a database, an empty folder, and the environment that names them."""

    database: str
    folder: Path
    settings: dict[str, str]

    @property
    def is_postgres(self) -> bool:
        return self.database == POSTGRES


Run = Callable[[Surroundings], Iterable[Figure]]
