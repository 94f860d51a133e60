"""Single commits."""

from __future__ import annotations

from datetime import datetime

from tests.sandbox.generation.draw import Draw
from tests.sandbox.people import Person
from tests.sandbox.world import Commit, Repository


def add_commit(
    repository: Repository,
    draw: Draw,
    person: Person | None,
    date: datetime,
    message: str,
    parents: tuple[str, ...],
) -> Commit:
    """A commit; every ninth comes from an e-mail address that belongs to no account."""
    unmapped = person is None or draw.random.randrange(9) == 0
    name = person.display_name if person else "Somebody Else"
    commit = Commit(
        hash=draw.hash(),
        date=date.replace(microsecond=0),
        raw_author=f"{name} <{'laptop@localhost' if unmapped or not person else person.email}>",
        user=None if unmapped else person,
        message=message + "\n",
        parents=parents,
    )
    repository.commits[commit.hash] = commit
    return commit
