"""What a slice has to visit, and in what order."""

from collections import deque
from collections.abc import Collection, Sequence

from ingestion.engine.comparing import comparisons, copies_nothing, is_asked_for
from ingestion.engine.rotation import to_visit
from ingestion.engine.run import NO_ACCESS, ONCE_A_DAY, REFUSALS_TO_NO_ACCESS, Run
from ingestion.engine.visits import vanished
from ingestion.engine.visits.activity import after_pull_requests
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.engine.visits.commits import CommitsVisit
from ingestion.engine.visits.comparison import ComparisonVisit
from ingestion.engine.visits.deployments import DeploymentsVisit
from ingestion.engine.visits.people import PeopleVisit
from ingestion.engine.visits.pipelines import PipelinesVisit
from ingestion.engine.visits.pull_requests import PullRequestsVisit
from ingestion.engine.visits.repositories import RepositoriesVisit, still_missing
from ingestion.engine.visits.steps import after_pipelines
from ingestion.models import WHOLE, Repository, State
from ingestion.writer.batch import Place

NO_REPOSITORIES = {
    "code": "no_resources",
    "message": "The connection that this one belongs to has no repositories yet that are synced."
    " They come with its next sync; then this one reads on.",
    "retryable": True,
    "mended_by": "time",
}


class Plan:
    """The visits that are ready to be walked; what ends may bring others."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ready: deque[Visit] = deque()

    def begin(self) -> None:
        """Find what this sync has not come to an end with."""
        run = self._run
        if copies_nothing(run.sync):
            self._load_repositories()
        elif not run.copies(RepositoriesVisit.stream):  # they are another connection's
            self.visit_repositories()
            self._refuse_nothing()
        elif not run.has_ended(Place("repositories", None)):
            self._ready.append(RepositoriesVisit(run))
        else:
            self._go_on()
        if run.copies("people") and not run.has_ended(Place("people", None)):
            self._ready.append(PeopleVisit(run))

    def visit_repositories(self, but: Collection[int] = ()) -> None:
        """Line up the repositories, those with signs of change first."""
        self._load_repositories()
        for repository in self._run.repositories.values():
            if repository.pk not in but:
                self._line_up(repository)

    def visit(self, keys: Collection[int]) -> None:
        """Line up those that were left out until they were found; the others are gone."""
        self._load_repositories()
        for key in keys:
            if key in self._run.repositories:
                self._line_up(self._run.repositories[key])

    def compare(self) -> bool:
        """Line up what is to be compared, once all else has ended. False where nothing is."""
        visits = comparisons(self._run)
        if visits or is_asked_for(self._run):
            row = self._run.book.run(Place(ComparisonVisit.stream, None))
            of_one = [one for one in visits if one.place.repository_id is not None]
            row.total = len(of_one) + self._run.book.ended_here(ComparisonVisit.stream)
            row.started_at = row.started_at or self._run.clock.now()
        self._ready.extend(visits)
        return bool(visits)

    def take(self) -> Visit | None:
        """The next visit, or None while there is none."""
        if not self._ready:
            return None
        visit = self._ready.popleft()
        visit.begin()
        return visit

    def follow(self, visits: Sequence[Visit]) -> None:
        """What follows a visit comes first, so that repositories are finished one by one."""
        self._ready.extendleft(reversed(visits))

    def _go_on(self) -> None:
        """The repositories were listed by an earlier slice; what was missing is asked for first."""
        missing, visits = still_missing(self._run)
        self._ready.extend(visits)
        self.visit_repositories(but=missing)

    def _load_repositories(self) -> None:
        chosen = Repository.objects.filter(
            connection_id=self._run.connection.home_id, is_selected=True, removed_at=None
        ).only("pk", "uuid", "full_name", "updated_on", "organization_id")
        ordered = {one.pk: one for one in chosen.order_by("-updated_on", "pk")}
        self._run.repositories, rotates = to_visit(self._run, ordered)
        if self._run.copies(RepositoriesVisit.stream):
            listed = self._run.book.coverage(Place(RepositoriesVisit.stream, None))
            listed.is_rotating = rotates
        for run in self._run.book.streams():
            if run.stream not in WHOLE:
                self._run.book.run(Place(run.stream, None)).total = len(self._run.repositories)

    def _refuse_nothing(self) -> None:
        """Say so where the connection whose repositories are read has none that are synced yet."""
        if not self._run.repositories:
            for row in self._run.book.streams():
                self._run.book.run(Place(row.stream, None)).error = NO_REPOSITORIES

    def _line_up(self, repository: Repository) -> None:
        run = self._run
        if self._is_to_visit(Place(PullRequestsVisit.stream, repository.pk)):
            self._begin(PullRequestsVisit(run, repository))
        elif run.has_ended(Place(PullRequestsVisit.stream, repository.pk)):
            self._ready.extend(after_pull_requests(run, repository))
        if self._is_to_visit(Place(PipelinesVisit.stream, repository.pk)):
            self._begin(PipelinesVisit(run, repository))
        elif run.has_ended(Place(PipelinesVisit.stream, repository.pk)):
            self._ready.extend(after_pipelines(run, repository))
        if self._is_to_visit(Place(DeploymentsVisit.stream, repository.pk)):
            self._begin(DeploymentsVisit(run, repository))
        if self._is_to_visit(Place(CommitsVisit.stream, repository.pk)):
            self._begin(CommitsVisit(run, repository))

    def _begin(self, visit: RepositoryVisit) -> None:
        """Walk, unless an earlier slice did, and has but to ask for what was not seen."""
        is_read = vanished.is_pending(self._run, visit.place)
        self._ready.extend(visit.search() if is_read else [visit])

    def _is_to_visit(self, place: Place) -> bool:
        run = self._run
        if not run.copies(place.stream) or run.has_ended(place) or place in run.put_off:
            return False
        known = run.book.known(place)
        if known is None or known.refusals < REFUSALS_TO_NO_ACCESS or known.asked_at is None:
            return True
        if run.clock.now() - known.asked_at > ONCE_A_DAY:
            return True
        run.end(place, NO_ACCESS)
        return False


def put_off(run: Run) -> set[Place]:
    """Places that failed in this sync and wait for another try."""
    return {
        Place(row.stream, row.repository_id)
        for stream in run.sync.streams
        for row in run.book.runs(stream)
        if row.state == State.WAITING
    }
