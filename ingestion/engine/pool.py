"""The credentials of a connection, side by side: which asks next, what each sees and has left.

Shared by the threads of one slice. The ledger decides what may be asked; what is known here only
spares questions that it, or Bitbucket, would refuse.
"""

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from connections.connectors import connector
from connections.connectors.base import Connector, Entry
from connections.connectors.endings import Told, endpoint_asked
from connections.models import Credential
from connections.services.entries import entry_for
from connections.transport.errors import (
    InvalidCredentials,
    InvalidPermissions,
    NotFound,
    ProviderError,
    QuotaExhausted,
    RateLimited,
)
from connections.transport.removals import Removal
from ingestion.clock import Clock
from ingestion.engine.pace import Pace
from ingestion.quota import taken_here
from ingestion.selectors.quota import quota_of_subjects
from tenants import access
from tenants.formats import listed

Out = QuotaExhausted | RateLimited
REFUSALS = (InvalidPermissions, NotFound)
BLOCK = 60  # seconds of a window of an hour: how long a refusal without a time is believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A credential that was entered. `subject` is what Bitbucket counts its requests by."""

    credential: Credential
    entry: Entry
    subject: str

    @property
    def key(self) -> int:
        return self.credential.pk


@dataclass(frozen=True, slots=True)
class About:
    """What is asked for: a stream, of a repository (its id at the provider) or of none."""

    stream: str = ""
    repository: str = ""


class Pool:
    """Chooses among the members. Knowledge is per repository, scopes are per stream."""

    def __init__(self, kind: str = "", members: Sequence[Member] = (), clock: Clock | None = None):
        self._kind = kind
        self.members = list(members)
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self.pace = Pace(len(self.members))
        left = quota_of_subjects(member.subject for member in members) if members else {}
        self._left = {subject: quota.left for subject, quota in left.items()}
        self._out: dict[str, tuple[datetime, Out]] = {}
        self._sees: dict[tuple[int, str], bool] = {}
        self._lacks: dict[tuple[int, str], InvalidPermissions] = {}
        self.troubles: dict[int, ProviderError] = {}  # of members: to be noted on credentials
        self._news: dict[tuple[int, str], bool] = {}
        self._asked = Counter[int]()
        self.told: Told = {}  # of endpoints: that they end, or that they answer as ever

    @property
    def kind(self) -> Connector:
        return connector(self._kind)

    @property
    def together(self) -> Entry:
        """The entry of a client that asks with all members: of no repository alone."""
        entry = self.members[0].entry
        return replace(entry, settings=without(entry.settings, "repository"))

    def know(self, sees: Mapping[tuple[int, str], bool]) -> None:
        """Begin with what is kept of who sees which repository."""
        self._sees.update(sees)

    def working(self) -> list[Member]:
        """The members whose secret was not refused."""
        return [member for member in self.members if not self._is_refused(member)]

    @property
    def is_out(self) -> bool:
        """Whether no member may ask for anything now."""
        return all(self._is_out(member) for member in self.working())

    def free_at(self) -> datetime | None:
        """When the first of those that are out of requests may ask again."""
        now = self._clock.now()
        with self._lock:
            times = [until for until, _ in self._out.values() if until > now]
        return min(times, default=None)

    def choose(self, about: About, met: Mapping[int, ProviderError]) -> Member:
        """Who asks next: one that sees the repository, with most left. `met` are the errors that
        members met with this question, the best of them first. Raises why nobody is left to ask.

        Those that do not see it come last, and wait with those that do for their quota. All is
        judged by one moment: a pause may end at any.
        """
        with self._lock:
            refusals = {key: e for key, e in met.items() if isinstance(e, REFUSALS)}
            able = self._able(about, refusals)
            out = [one for one in able if isinstance(met.get(one.key), Out) or self._is_out(one)]
            ready = [one for one in able if one not in out]
            best = min(
                ready, key=lambda one: (self._rank(one, about), -self._left_of(one)), default=None
            )
            is_waited_for = any(self._rank(one, about) != BLIND for one in out)
            if best is None or (self._rank(best, about) == BLIND and is_waited_for):
                raise self._verdict(about, refusals, out if is_waited_for or not refusals else ())
            self._left[best.subject] = self._left_of(best) - 1
            return best

    def _verdict(
        self, about: About, refusals: Mapping[int, ProviderError], out: Sequence[Member]
    ) -> ProviderError:
        """Why nobody is left to ask. A refusal counts when everybody who may see it was asked; who
        is out of requests is waited for.
        """
        if out:
            return min((self._out[one.subject] for one in out), key=lambda found: found[0])[1]
        lack = {one.key: self._lacks.get((one.key, about.stream)) for one in self.working()}
        missing = [error for error in lack.values() if error]
        seen = [e for key, e in refusals.items() if self._sees.get((key, about.repository))]
        counts = [error for error in seen if error not in missing]
        if counts:
            return counts[0]
        if missing:
            return missing[0] if len(missing) == len(lack) else _lacks_here(missing)
        if refusals:
            return next(iter(refusals.values()))
        aside = [one for one in self.troubles.values() if isinstance(one, InvalidCredentials)]
        return aside[-1] if aside else InvalidCredentials("No credential of this connection works.")

    def hear(self, member: Member, about: About, error: ProviderError | None) -> bool:
        """Note how a member was answered. Whether another one may do better."""
        with self._lock:
            if error is None:
                self._learn(member, about.repository, sees=True)
                return False
            if isinstance(error, Out):
                self._out[member.subject] = self._until(error), error
            elif isinstance(error, InvalidCredentials):
                self.troubles[member.key] = error
            elif isinstance(error, InvalidPermissions) and error.missing_scopes:
                self._lacks[member.key, about.stream] = error
                self.troubles.setdefault(member.key, error)
            elif isinstance(error, REFUSALS):
                if not self._sees.get((member.key, about.repository)):
                    self._learn(member, about.repository, sees=False)
            else:
                return False
            return True

    def hear_of(self, method: str, path: str, removal: Removal | None) -> None:
        """Note what an answer told of the end of its endpoint."""
        found = endpoint_asked(self.kind.endpoints, method, path)
        if found is not None:
            self.told[found.method, found.path] = removal

    @contextmanager
    def asking(self, member: Member) -> Iterator[None]:
        """Count what this thread asks meanwhile as asked with this member's secret."""
        before = taken_here()
        try:
            yield
        finally:
            with self._lock:
                self._asked[member.key] += taken_here() - before

    def asked(self) -> dict[int, int]:
        """How often each member's secret was used in this slice."""
        with self._lock:
            return dict(self._asked)

    def take_news(self) -> dict[tuple[int, str], bool]:
        """What was learned since it was last asked, to be kept."""
        with self._lock:
            news, self._news = self._news, {}
            return news

    def renew(self, member: Member) -> bool:
        """Enter again where the secret was exchanged since: whether it was, so that it is asked
        once more. Called in a fetching thread, which rarely needs the database.
        """
        try:
            with access.enter(member.credential.organization_id):
                fresh = _entered_anew(member)
        finally:
            connection.close()
        if fresh is None:
            return False
        renewed = replace(member, credential=fresh[0], entry=fresh[1])
        with self._lock:
            self.members = [renewed if one.key == member.key else one for one in self.members]
        return True

    def see(self, listings: Mapping[int, Collection[str]]) -> None:
        """Whole listings, by member: each sees what it lists, and nothing else that is known."""
        with self._lock:
            known = {one for _, one in self._sees}.union(*listings.values())
            for member in self.members:
                for repository in known if member.key in listings else ():
                    self._learn(member, repository, sees=repository in listings[member.key])

    def _able(self, about: About, but: Collection[int]) -> list[Member]:
        return [
            member
            for member in self.working()
            if member.key not in but and (member.key, about.stream) not in self._lacks
        ]

    def _rank(self, member: Member, about: About) -> int:
        return RANKS[self._sees.get((member.key, about.repository))]

    def _left_of(self, member: Member) -> int:
        return self._left.get(member.subject, 0)

    def _is_refused(self, member: Member) -> bool:
        return isinstance(self.troubles.get(member.key), InvalidCredentials)

    def _is_out(self, member: Member) -> bool:
        found = self._out.get(member.subject)
        return found is not None and found[0] > self._clock.now()

    def _until(self, error: Out) -> datetime:
        if isinstance(error, QuotaExhausted):
            return error.resume_at
        pause = error.retry_after or BLOCK * settings.QUOTA_WINDOW / 3600
        return self._clock.now() + timedelta(seconds=pause)

    def _learn(self, member: Member, repository: str, *, sees: bool) -> None:
        if repository and self._sees.get((member.key, repository)) is not sees:
            self._sees[member.key, repository] = sees
            self._news[member.key, repository] = sees


BLIND = 2
RANKS = {True: 0, None: 1, False: BLIND}


def _entered_anew(member: Member) -> tuple[Credential, Entry] | None:
    """The credential as it is now, with its entry; None where it is as it was, or gone."""
    rows = Credential.objects.select_related("connection", "grant")
    row = rows.filter(pk=member.key, deleted_at=None, disabled_at=None).first()
    if row is None or row.version == member.credential.version:
        return None
    try:
        return row, entry_for(row, purpose=member.entry.purpose)
    except ProviderError:
        return None


def without(values: Mapping[str, str], name: str) -> dict[str, str]:
    """The same without one of them."""
    return {key: value for key, value in values.items() if key != name}


def _lacks_here(missing: Sequence[InvalidPermissions]) -> InvalidPermissions:
    """Another credential has the scope, and does not see the repository: no stream stops."""
    scopes = dict.fromkeys(scope for error in missing for scope in error.missing_scopes)
    return InvalidPermissions(
        f"The credentials that see this repository lack {listed(list(scopes))}.",
        evidence=missing[0].evidence,
    )
