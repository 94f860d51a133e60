"""What streams cost in requests, as a source tells it: of sizes that few requests measure.

A planner asks for the measures, fills in what it did not ask with the mean of what it did, and adds
up the costs. It knows no stream and no size by name.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

# Figures by name: of one repository, or of the connection. What was not measured is 0.
Sizes = Mapping[str, float]
REPOSITORIES = "repositories"  # the measure, and the size, of how many are listed in all


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One request, or a few, and for what streams they are worth making.

    A measure with more weight for the streams that are copied is taken of more repositories. What a
    shared one finds is summed up over the repositories where it was taken, and holds for all.
    """

    name: str
    streams: tuple[str, ...]
    weight: int = 1
    requests: int = 1
    of_repository: bool = True
    is_shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be copied: which streams, since when; `now` is when it begins."""

    streams: Collection[str]
    since: datetime | None
    now: datetime

    def days(self) -> float | None:
        """How long the history window is; None for everything."""
        if self.since is None:
            return None
        return max(0.0, (self.now - self.since).total_seconds() / 86_400)


def nothing(sizes: Sizes, plan: Plan) -> float:
    return 0.0


def nothing_again(sizes: Sizes, plan: Plan, hours: float) -> float:
    return 0.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Requests of one stream in one repository, or in the connection as a whole.

    `first` is of a first sync, `again` of one so many hours after the last.
    """

    stream: str
    of_repository: bool = True
    first: Callable[[Sizes, Plan], float] = field(default=nothing)
    again: Callable[[Sizes, Plan, float], float] = field(default=nothing_again)
