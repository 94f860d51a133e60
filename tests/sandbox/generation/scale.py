"""How big a generated world is."""

from __future__ import annotations

from dataclasses import dataclass, replace

SHARES = (1, 0.1, 3, 0.5, 0, 1.5, 0.2, 2, 0.7, 1)


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the workspace "acme". The others are small: see README.md beside this package.

    `comments` are written on every `comments_every`-th pull request, and every
    `approval_every`-th is approved once. `same_instant` pull requests share one `updated_on`.
    `workspaces` counts all of them: acme, globex, empty, then as many small ones as asked for.
    `updates` counts the update entries of a pull request, its opening and closing included.
    Where it is `uneven`, some repositories have many times as much in them as others.
    """

    repositories: int = 3
    pull_requests: int = 12
    updates: int = 5
    comments: int = 3
    comments_every: int = 2
    approval_every: int = 3
    pipelines: int = 50
    steps: int = 2
    people: int = 40
    workspaces: int = 3
    days: int = 180
    same_instant: int = 3
    deployments: int = 6
    awkward: bool = True
    uneven: bool = False

    def of_repository(self, number: int) -> Scale:
        """The scale of one repository."""
        if not self.uneven:
            return self
        factor = SHARES[number % len(SHARES)]
        return replace(
            self,
            pull_requests=round(self.pull_requests * factor),
            pipelines=round(self.pipelines * factor),
        )

    def small(self) -> Scale:
        """The scale of the workspaces beside acme."""
        return Scale(
            repositories=1,
            pull_requests=min(self.pull_requests, 6),
            pipelines=min(self.pipelines, 4),
            people=min(self.people, 5),
            days=self.days,
            awkward=self.awkward,
        )
