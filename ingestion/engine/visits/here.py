"""What is here of a stream, to stand beside the provider's count of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count as CountOf
from django.db.models import F, Model, Q, Sum

from ingestion.engine.rejections import KEYED
from ingestion.models import Commit, Coverage, Person, PullRequest, Repository
from ingestion.services.comparing import lacking_comments
from ingestion.sources.base import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """How many records there are by the provider, and how many of them, or instead, are here."""

    theirs: int
    ours: int
    twice: int = 0


def of_repository(
    stream: str, repository: Repository, theirs: Count, until: datetime, since: datetime | None
) -> Beside:
    """The records of a repository that were made until a moment."""
    model, key = KEYED[stream]
    mine = model._default_manager.filter(repository=repository, removed_at=None)
    if theirs.keys is not None:
        return _by_key(theirs, mine.values_list(key, flat=True))
    here = Q(created_on__lte=until)
    if since:
        here &= Q(updated_on__gte=since)
    told = mine.filter(here).aggregate(rows=CountOf("pk"), records=CountOf(key, distinct=True))
    rows, records = told["rows"], told["records"]
    return Beside(theirs=theirs.total, ours=records, twice=rows - records)


def _by_key(theirs: Count, here: Collection[str]) -> Beside:
    known = [key for key in here if key in (theirs.keys or ())]
    ours = len(set(known))
    return Beside(theirs=theirs.total, ours=ours, twice=len(known) - ours)


def of_connection(stream: str, connection_id: int, theirs: Count, until: datetime) -> Beside:
    """The repositories or the members of a connection."""
    models: dict[str, tuple[type[Model], Q]] = {
        "repositories": (Repository, Q(created_on=None) | Q(created_on__lte=until)),
        "people": (Person, Q(is_member=True)),
    }
    model, which = models[stream]
    mine = model._default_manager.filter(which, connection_id=connection_id, removed_at=None)
    return Beside(theirs=theirs.total, ours=mine.count())


def comments(repository: Repository, coverage: Coverage, since: datetime | None) -> Beside:
    """By the number of comments that each pull request told when it was read last."""
    mine = PullRequest.objects.filter(repository=repository, removed_at=None)
    settled = mine.filter(comments_done_for=F("due_for"))
    theirs = settled.aggregate(n=Sum("comment_count"))["n"] or 0
    missing = lacking_comments([repository.pk]).aggregate(n=Sum(F("comment_count") - F("live")))[
        "n"
    ]
    return Beside(theirs=theirs, ours=theirs - (missing or 0))


def commits(repository: Repository, coverage: Coverage, since: datetime | None) -> Beside | None:
    """What is here, its parents, and the tips of the branches: each commit is one of them.

    None in a history window, before which parents are not here.
    """
    if since or coverage.covered_from or coverage.heads is None:
        return None
    named, here = set(coverage.heads), set[str]()
    mine = Commit.objects.filter(repository=repository).order_by()
    for known, parents, removed_at in mine.values_list("hash", "parents", "removed_at").iterator():
        here.add(known)
        if removed_at is None:
            named.update((known, *parents))
    return Beside(theirs=len(named), ours=len(named & here))


# Streams that nobody has to be asked about.
TOLD_HERE = {"pull_request_comments": comments, "commits": commits}
