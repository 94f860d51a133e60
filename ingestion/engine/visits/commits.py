"""The commits of a repository: what its branches lead to, and what they lead to no more."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from ingestion.engine.run import Run
from ingestion.engine.visits import vanished
from ingestion.engine.visits.base import NothingListed, RepositoryVisit, Visit, nothing_listed
from ingestion.models import Commit, Push, Repository
from ingestion.sources.base import Key, Page, Source, Walk
from ingestion.sources.rows import CommitRow
from ingestion.writer.batch import Counts

MOST_ANCESTORS = 100  # of forgotten commits, that one walk asks for


class CommitsVisit(RepositoryVisit):
    """Walks from the tips of the branches down to the heads of the last walk that ended."""

    stream = "commits"

    def __init__(self, run: Run, repository: Repository, *, is_rest: bool = False) -> None:
        super().__init__(run, repository, is_rest=is_rest)
        coverage, since = self.coverage, self.resume(None)
        is_again = (run.is_full and not is_rest) or self.is_anew
        self._is_whole = is_again or coverage.heads is None or self._has_wider_window()
        self._was = coverage.heads or ()
        heads = () if self._is_whole else self._was
        were = (*self._was, *(coverage.lost_heads or ()))
        self._since = replace(since, heads=heads, were=were)
        self._pushed: dict[str, int] = {}
        self._tips: Sequence[str] = ()
        lacks = (coverage.checkpoint or {}).get("lacks", ()) if since.checkpoint else ()
        self._missing = set[str](lacks)  # parents of commits that came, which did not come yet
        self._older = set[str]()  # came, and lie before the history window
        self._lost: Sequence[str] = ()
        self._is_legible = True

    def begin(self) -> None:
        told = Push.objects.filter(repository=self.repository)
        self._pushed = dict(told.values_list("hash", "pk"))
        self._since = replace(self._since, were=(*self._since.were, *self._pushed))

    def walk(self, source: Source) -> Walk:
        yield from source.commits(self.repository.uuid, self._since)

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._tips = self._tips if page.heads is None else page.heads
        self._is_legible = self._is_legible and page.is_legible
        for row in page.rows:
            if isinstance(row, CommitRow):
                self._missing.update(row.parents)
        self._missing -= {row.hash for row in page.rows if isinstance(row, CommitRow)}
        self._older.update(page.older)
        self._missing -= self._older
        self.keep(page.checkpoint)
        if page.gone:
            self._drop(page.gone)
        if page.lost is not None:
            self._lost = [*page.lost, *self._ancestors(page.forgotten)]

    def keep(self, walk: dict[str, Any] | None) -> None:
        super().keep(walk)
        if self.coverage.checkpoint and self._missing:
            self.coverage.checkpoint["lacks"] = sorted(self._missing)

    def ended(self) -> Sequence[Visit]:
        if self._was and not self._tips:
            self.coverage.checkpoint = None  # or the next sync would go on below no branch
            raise nothing_listed(self.name, len(self._was), "branches")
        lacking = self._lacking()
        if lacking and self.covers_from:
            return [DoubtedCommitsVisit(self, sorted(lacking))]
        if lacking:
            self.refuse(lacking)
        return self.settle()

    def settle(self) -> Sequence[Visit]:
        """All that the branches lead to is here."""
        if self._is_whole:
            self.coverage.covered_from = self.covers_from
        self.reach(self.as_of)
        # What was asked for twice, in two walks, is led to; else it is asked for once more.
        lost = [one for one in self._lost if one not in (self.coverage.lost_heads or ())]
        self.coverage.heads, self.coverage.lost_heads = list(self._tips), lost or None
        Push.objects.filter(pk__in=self._pushed.values()).delete()
        if self.is_earlier:  # what was pushed meanwhile
            return [CommitsVisit(self.run, self.repository, is_rest=True)]
        return self.search()

    def refuse(self, lacking: Collection[str]) -> None:
        """Raise NothingListed: Bitbucket did not list these, and all is to be walked again.

        What came may be led to no more by then: the next walk asks whether it is.
        """
        self.coverage.checkpoint = None
        asked = (*(self.coverage.lost_heads or ()), *self._tips)
        doubted = [tip for tip in dict.fromkeys(asked) if tip not in self._was]
        self.coverage.lost_heads = doubted or None
        raise NothingListed(
            f"{self.name}: Bitbucket lists too few commits ({len(lacking):,} to which others"
            " or branches lead are missing). What was read is kept, and they are asked for"
            " again."
        )

    def search(self) -> Sequence[Visit]:
        return vanished.search(
            self.run,
            self.repository,
            self.stream,
            self._end,
            is_whole=self.run.is_full,
            begin=self.run.since,
        )

    def _end(self) -> Sequence[Visit]:
        self.complete(None)
        return ()

    def _has_wider_window(self) -> bool:
        """Whether the history window begins earlier than when all of it was read."""
        since, before = self.run.since, self.coverage.covered_from
        return before is not None and (since is None or since < before)

    def _drop(self, hashes: Sequence[Key]) -> None:
        """Mark what no branch leads to any more, after a force-push or without its branch."""
        now = self.run.clock.now()
        kept = Commit.objects.filter(repository=self.repository, removed_at=None)
        self.counts.removed += kept.filter(hash__in=hashes).update(removed_at=now, changed_at=now)

    def _ancestors(self, hashes: Sequence[str]) -> list[str]:
        """What is here of the ancestors of commits that Bitbucket has forgotten, the nearest first.

        It is asked for the next time: they may have been dropped with them.
        """
        found, nearest = dict[str, None](), list(hashes)
        kept = Commit.objects.filter(repository=self.repository)
        while nearest and len(found) < MOST_ANCESTORS:
            rows = kept.filter(hash__in=nearest).values_list("parents", flat=True)
            parents = {one for parents in rows for one in parents}
            live = kept.filter(hash__in=parents, removed_at=None).values_list("hash", flat=True)
            nearest = [one for one in live if one not in found]
            found.update(dict.fromkeys(nearest))
        return list(found)

    def _lacking(self) -> set[str]:
        """The commits to which others or branches lead, and which neither came nor are here.

        With a history window most of them lie before it: none of those is here.
        """
        rejections = self.run.book.rejections
        if not self._is_legible or rejections.nameless(self.place):
            return set()
        rejected = rejections.missing(self.place)  # Bitbucket lists them, all the same
        wanted = self._missing.union(self._tips).difference(rejected, self._older)
        if self.covers_from and not self._is_whole:
            wanted.difference_update(self._was)
        stored = Commit.objects.filter(repository=self.repository, hash__in=wanted)
        lacking = wanted - set(stored.values_list("hash", flat=True))
        came = self.counts.read or self._older
        return lacking if came or not self._is_whole else lacking.union(self._tips)


class DoubtedCommitsVisit(RepositoryVisit):
    """Asks whether what a walk lacks lies before the history window; then the walk is over."""

    stream = CommitsVisit.stream

    def __init__(self, walked: CommitsVisit, lacking: Sequence[str]) -> None:
        super().__init__(walked.run, walked.repository)
        self._walked = walked
        self._lacking = lacking
        self._inside = set[str]()

    def walk(self, source: Source) -> Walk:
        yield from source.newest_commits(
            self.repository.uuid, self._lacking, self._walked.covers_from
        )

    def arrived(self, page: Page, counts: Counts) -> None:
        super().arrived(page, counts)
        self._inside.update(row.hash for row in page.rows if isinstance(row, CommitRow))

    def ended(self) -> Sequence[Visit]:
        inside = self._inside.intersection(self._lacking)
        if inside:
            self._walked.refuse(inside)
        return self._walked.settle()
