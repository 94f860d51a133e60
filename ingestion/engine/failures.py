"""What the failure of one visit means: for its repository, its stream, or the whole sync."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from connections.dispatch import VERIFY_CREDENTIAL, send_on_commit
from connections.services import states
from connections.services.removals import note_removals
from connections.transport.errors import (
    BlockedAddress,
    Gone,
    InvalidCredentials,
    InvalidPermissions,
    NotFound,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Unreachable,
)
from ingestion.engine.run import NO_ACCESS, REFUSALS_TO_NO_ACCESS, Run
from ingestion.engine.visits import comments
from ingestion.engine.visits.activity import ActivityVisit, EarlierActivityVisit
from ingestion.engine.visits.base import RepositoryVisit, Visit
from ingestion.engine.visits.history import HistoriesVisit, refuses_feed
from ingestion.engine.visits.refused import RefusedVisit
from ingestion.engine.visits.repositories import RepositoriesVisit
from ingestion.engine.visits.vanished import VanishedVisit
from ingestion.models import State
from ingestion.quota import usage
from ingestion.writer.batch import Place

FEED = (ActivityVisit, EarlierActivityVisit)
HISTORY = (*FEED, HistoriesVisit)
REFUSED = (InvalidPermissions, NotFound, Gone)
REFUSED_CODES = {kind.code for kind in REFUSED}


@dataclass(slots=True)
class Trouble:
    """What stops the slice: quota until a moment, an error that ends the sync, or neither: silence,
    after which what was put off is tried again."""

    wait_until: datetime | None = None
    error: ProviderError | None = None


class Failures:
    """Judges failed visits of one slice, inside the transaction that writes its batch."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.quota_until: datetime | None = None  # when something that waits for it may go on
        self.trouble: Trouble | None = None
        self.first_retryable: ProviderError | None = None
        self.last: ProviderError | None = None
        self.is_answering = False  # some visit of this slice ended well
        self._is_refused = False  # the workspace itself, for the first time in this sync
        self._unheard = 0  # visits in a row to which nobody answered

    @property
    def may_retry(self) -> bool:
        """Whether this sync may pause for Bitbucket and try again."""
        return self._run.sync.retry_count < len(settings.SYNC_RETRY_DELAYS)

    def judge(self, visit: Visit, error: ProviderError) -> Sequence[Visit]:
        """Note what failed, and what that stops. Returns what follows all the same."""
        if isinstance(visit, FEED) and refuses_feed(error):
            return visit.refused()
        self.last = error
        self._is_refused |= self._refuses_workspace(visit, error)
        if isinstance(error, QuotaExhausted | RateLimited):
            self.wait_for_quota(error)
        elif isinstance(error, InvalidCredentials | BlockedAddress):
            self.trouble = Trouble(error=error)
        elif self._stops_stream(error):
            self._stop_stream(visit, error)
        elif isinstance(visit, RefusedVisit):
            return visit.then()  # it stays as missing as it was
        elif error.retryable and self.may_retry:
            self._put_off(visit, error)
        elif isinstance(visit, VanishedVisit):
            return visit.left(error)
        else:
            self._give_up(visit, error)
        if isinstance(error, Unreachable):
            self._count_silence(error)
        if isinstance(visit, HISTORY) and self._run.has_ended(visit.place):
            return comments.after_activity(self._run, visit.repository)
        return ()

    def hear(self) -> None:
        """Bitbucket answered a visit: it is not silent."""
        self._unheard = 0

    def note_on_connection(self) -> None:
        """Tell the connection how Bitbucket answered; never inside the slice's transactions.

        One repository's trouble is not the connection's.
        """
        connection, error = self._run.connection, self.last
        note_removals(connection, self._run.pool.told)
        for member in self._run.pool.members:
            trouble = self._run.pool.troubles.get(member.key)
            if trouble is not None:
                states.note_failure(connection, trouble, credential=member.credential)
            if self._is_refused:
                credential = member.credential
                send_on_commit(VERIFY_CREDENTIAL, credential.organization_id, credential.pk)
        if error is None or (self.is_answering and not self._is_of_credential(error)):
            states.note_success(connection)
        elif not isinstance(error, InvalidCredentials):
            states.note_failure(connection, error)

    @staticmethod
    def _is_of_credential(error: ProviderError) -> bool:
        lacks = isinstance(error, InvalidPermissions) and bool(error.missing_scopes)
        return lacks or isinstance(error, InvalidCredentials | BlockedAddress)

    def _refuses_workspace(self, visit: Visit, error: ProviderError) -> bool:
        """Whether this calls for a verification: at most one in a sync, none for a named scope."""
        if not isinstance(visit, RepositoriesVisit) or self._is_of_credential(error):
            return False
        if not isinstance(error, REFUSED):
            return False
        told = (row.error["code"] for row in self._run.book.streams() if row.error)
        return REFUSED_CODES.isdisjoint(told)

    def wait_for_quota(self, error: ProviderError) -> None:
        """A credential is out of requests; the slice goes on as long as another one may ask."""
        pool, now = self._run.pool, self._run.clock.now()
        until = pool.free_at() or now
        if isinstance(error, RateLimited):
            known = (usage(member.subject).free_at for member in pool.working())
            until = min((moment for moment in known if moment), default=until)
        if pool.is_out:
            self.trouble = self.trouble or Trouble(wait_until=until)
        elif self.quota_until is None or until < self.quota_until:
            self.quota_until = until

    def _count_silence(self, error: ProviderError) -> None:
        """As many unanswered visits as begin together: the others would wait for nothing.

        Each takes the whole deadline of a request, and a worker meanwhile.
        """
        self._unheard += 1
        if self._unheard >= self._run.pool.pace.first and self.trouble is None:
            self.trouble = Trouble() if self.may_retry else Trouble(error=error)

    def _stops_stream(self, error: ProviderError) -> bool:
        if isinstance(error, InvalidPermissions):
            return bool(error.missing_scopes)
        return isinstance(error, Gone)

    def _stop_stream(self, visit: Visit, error: ProviderError) -> None:
        """A missing scope, or an endpoint that is no more: no other repository is asked."""
        told = error.as_dict()
        self._run.stopped.setdefault(visit.stream, told)
        if isinstance(visit, RepositoryVisit):
            self._run.end(visit.place, told)
        row = self._run.book.run(Place(visit.stream, None))
        row.error = row.error or told

    def _put_off(self, visit: Visit, error: ProviderError) -> None:
        self.first_retryable = self.first_retryable or error
        self._run.put_off.add(visit.place)
        row = self._run.book.run(visit.place)
        if isinstance(visit, RepositoryVisit):
            row.state = State.WAITING
        row.error = error.as_dict()

    def _give_up(self, visit: Visit, error: ProviderError) -> None:
        told = error.as_dict()
        if isinstance(visit, RepositoryVisit):
            if isinstance(error, NotFound | InvalidPermissions) and self._is_used_to(visit):
                self._run.end(visit.place, NO_ACCESS)
                return
            self._run.end(visit.place, told)
        row = self._run.book.run(visit.place)
        row.error = told
        row.state, row.finished_at = State.FAILED, self._run.clock.now()

    def _is_used_to(self, visit: RepositoryVisit) -> bool:
        """Count a refusal; whether there were so many that it is no news."""
        coverage = visit.coverage
        coverage.refusals += 1
        coverage.asked_at = self._run.clock.now()
        return coverage.refusals > REFUSALS_TO_NO_ACCESS
