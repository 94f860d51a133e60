"""The checks of Bitbucket Cloud, asked side by side."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from connections.connectors.base import (
    Check,
    CheckResult,
    Entry,
    Identity,
    Method,
    Stream,
)
from connections.connectors.bitbucket_cloud import entrance, kinds
from connections.connectors.bitbucket_cloud.client import segment
from connections.connectors.bitbucket_cloud.learned import Learned
from connections.connectors.bitbucket_cloud.methods import ENDED
from connections.connectors.bitbucket_cloud.outcomes import (
    outcome_of,
    repositories_of,
    seconds_to_wait,
    without_account,
    without_repository,
)
from connections.connectors.bitbucket_cloud.refusals import credential_type
from connections.connectors.bitbucket_cloud.scopes import needless
from connections.connectors.findings import OK, Finding, OnResult, conclude
from connections.transport.answers import Answer
from connections.transport.errors import (
    Gone,
    InvalidPermissions,
    ProviderError,
    QuotaExhausted,
    RateLimited,
)
from connections.transport.http import refuse_inside_transaction
from connections.transport.ledger import Counted, ledger
from connections.transport.paging import page_of
from connections.transport.relay import Relay

TRIES = 3  # repositories that are asked before a 403 or 404 counts
MAX_PAGES = 50  # of the list of repositories
_FIRST = {"workspace", "repositories", "people", "account"}


def verify(
    entry: Entry,
    *,
    method: Method,
    checks: Sequence[Check],
    declared: Sequence[Stream],
    streams: Collection[str],
    on_result: OnResult | None,
    whole_list: bool,
) -> Finding:
    """Ask everything, then conclude. Raises RequestInTransaction; ProviderErrors are told."""
    refuse_inside_transaction()
    run = _Run(entry, checks, on_result)
    if "app_password" in (entry.method, entrance.shape_of(entrance.secret_of(entry))):
        run.refuse_all("invalid_credentials", ENDED)
    else:
        run.all(whole_list=whole_list)
    return conclude(
        run.results,
        streams=streams,
        declared=declared,
        identity=_counted(run.learned.identity, entry),
        repositories=run.learned.repositories,
        is_whole=not run.learned.following,
        needless_scopes=_needless(run.learned.identity, method, streams),
        retry_after=run.retry_after,
        requests=run.books.requests,
    )


class _Run:
    """One verification: its results, and what the answers told by the way."""

    def __init__(self, entry: Entry, checks: Sequence[Check], on_result: OnResult | None) -> None:
        self.entry = entry
        self.results = [CheckResult.waiting(check) for check in checks]
        self.retry_after: float | None = None
        self._checks = dict(zip([check.name for check in checks], checks, strict=True))
        self._results = {result.name: result for result in self.results}
        self._on_result = on_result or (lambda result: None)
        self.books = Counted(ledger())
        self._relay = Relay(self.books)
        self._transport = entrance.transport(
            replace(entry, renew=self._relay.through(entry.renew)),
            ledger=self._relay,
            patience=settings.VERIFICATION_DEADLINE,
        )
        self.learned = Learned(entry, self._relay.tell)

    def refuse_all(self, outcome: str, message: str) -> None:
        """Every check fails without a request."""
        for result in self.results:
            result.finish(outcome, message, mended_by="admin")
            self._on_result(result)

    def all(self, *, whole_list: bool) -> None:
        """First the workspace and its lists; then, in one repository, the rest."""
        try:
            self._relay.run([partial(self._first, name) for name in self._first_names()])
            self._know_its_kind()
            if self.learned.repositories:
                jobs: list[Callable[[], Any]] = []
                if "pull_request_comments" in self._checks:
                    jobs.append(self._pull_requests_then_comments)
                if "pipeline_steps" in self._checks:
                    jobs.append(self._pipelines_then_steps)
                jobs += self._others()
                if whole_list and self.learned.following:
                    jobs.append(self._rest_of_list)
                self._relay.run(jobs)
            self._skip_what_waits()
        finally:
            self._transport.close()

    def _first_names(self) -> list[str]:
        """The checks to begin with, but for those that no secret of this kind can pass."""
        kind = kinds.kind_of_entry(self.entry, "", ())
        kinds.pass_over(self.results, kind)
        waiting = [name for name in self._checks if self._results[name].state == "waiting"]
        return [name for name in waiting if name in _FIRST]

    def _know_its_kind(self) -> None:
        """What the first answers tell of it together."""
        kind = self.learned.conclude()
        kinds.pass_over(self.results, kind)
        nothing = self._results.get("repositories")
        if kind == "repository" and nothing is not None and nothing.outcome == "no_resources":
            nothing.message = without_repository(self.entry)
        for result in self.results:
            if result.never:
                self._on_result(result)

    def _first(self, name: str) -> None:
        result = self._results[name]
        repository = self.entry.settings.get("repository", "")
        template = self._checks[name].path
        if name == "repositories" and repository:
            template = "/repositories/{workspace}/{repository}"
        answer = self._ask(result, self._path(template, repository))
        if answer is not None:
            self._read(result, answer)
        self._tell(result)

    def _read(self, result: CheckResult, answer: Answer) -> None:
        try:
            self.learned.read(result, answer)
        except ProviderError as error:
            self._fail(result, error)

    def _others(self) -> list[partial[Any]]:
        apart = {*_FIRST, "pull_requests", "pull_request_comments"}
        if "pipeline_steps" in self._checks:
            apart |= {"pipelines", "pipeline_steps"}
        return [partial(self._in_repository, name) for name in self._checks if name not in apart]

    def _in_repository(self, name: str) -> Answer | None:
        """Ask in the repository that changed last; on 403 or 404 in two more."""
        result, answer = self._results[name], None
        for repository in self.learned.repositories[:TRIES]:
            slug = repository.name.partition("/")[2] or repository.id
            answer = self._ask(result, self._path(self._checks[name].path, slug))
            refused = result.status in {403, 404} and not result.missing_scopes
            if answer is not None or not refused:
                break
        self._tell(result)
        return answer

    def _pull_requests_then_comments(self) -> None:
        self._list_then_part("pull_requests", "pull_request_comments", "pull request", "id", "1")

    def _pipelines_then_steps(self) -> None:
        self._list_then_part("pipelines", "pipeline_steps", "pipeline", "uuid", "1")

    def _list_then_part(self, name: str, part: str, what: str, key: str, guess: str) -> None:
        """Ask for a list, then for a list within its first record: of `guess` where it has none."""
        found = self._in_repository(name)
        first = _first(found, key)
        result = self._results[part]
        if found is None and not self._results[name].missing_scopes:
            result.skip(f"the list of {what}s could not be read")
            return self._tell(result)
        place = "{" + what.replace(" ", "_") + "}"
        template = self._checks[part].path.replace(place, segment(first or guess))
        self._ask(result, self._path(template, self._repository_of(name)))
        if found is not None and first is None and result.status == 404:
            result.finish(OK, f"There is no {what} yet to ask for.")
        self._tell(result)
        return None

    def _repository_of(self, name: str) -> str:
        asked = self._results[name].path.split("/")
        return asked[3] if len(asked) > 3 else ""

    def _rest_of_list(self) -> None:
        """Read on behind the first page; `following` stands where it had to end before the end."""
        learned = self.learned
        try:
            for number, page in enumerate(self._transport.pages(learned.following), start=2):
                values, following = page_of(page)
                learned.repositories += repositories_of(values)
                learned.following = following or ""
                self._tell(self._results["repositories"])  # still alive
                if number >= MAX_PAGES:
                    break
        except ProviderError:
            return  # the first page passed its check; the choice of repositories shows what came

    def _ask(self, result: CheckResult, path: str) -> Answer | None:
        """Make the request of a check and write down what came; None for a failure."""
        result.state, result.path = "asking", path
        result.curl = entrance.curl(self.entry, path)
        self._tell(result)
        try:
            answer = self._transport.get(path)
        except ProviderError as error:
            self._fail(result, error)
            return None
        result.status, result.ms = answer.status, answer.ms
        result.granted_scopes = list(answer.scopes)
        result.removal = answer.removal.as_dict() if answer.removal else None
        self.learned.of_secret(credential_type(answer), answer.scopes)
        result.finish(OK)
        return answer

    def _fail(self, result: CheckResult, error: ProviderError) -> None:
        result.status = error.evidence.status or result.status
        result.ms = error.evidence.ms if error.evidence.ms is not None else result.ms
        if isinstance(error, InvalidPermissions):
            result.missing_scopes = list(error.missing_scopes)
            result.granted_scopes = list(error.granted)
            self.learned.of_secret(error.credential_type)
        result.removal = error.removal.as_dict() if isinstance(error, Gone) else None
        if isinstance(error, RateLimited | QuotaExhausted):
            self.retry_after = max(self.retry_after or 0.0, seconds_to_wait(error))
        outcome, message = outcome_of(result, error, self.entry)
        if "account" in result.missing_scopes:
            message += without_account(self.entry)
        result.finish(outcome, message, mended_by=error.mended_by)

    def _skip_what_waits(self) -> None:
        listed = next((one for one in self.results if one.name == "repositories"), None)
        is_known = listed is None or listed.outcome in (OK, "no_resources")
        why = "there is no repository to ask in" if is_known else "no repository could be listed"
        for result in self.results:
            if result.state == "waiting":
                result.skip(why)
                self._on_result(result)

    def _path(self, template: str, repository: str) -> str:
        workspace = segment(self.entry.settings.get("workspace", ""))
        place = template.replace("{workspace}", workspace)
        return place.replace("{repository}", segment(unquote(repository)))

    def _tell(self, result: CheckResult) -> None:
        self._relay.tell(partial(self._on_result, CheckResult(**vars(result))))


def _counted(identity: Identity, entry: Entry) -> Identity:
    """The identity with what its requests count for from now on."""
    proven = replace(entry, acts_as=identity.acts_as)
    return replace(identity, quota_subject=entrance.quota_subject(proven))


def _needless(identity: Identity, method: Method, streams: Collection[str]) -> tuple[str, ...]:
    return needless(identity.scopes, method, identity.kind, streams)


def _first(listed: Answer | None, key: str) -> str | None:
    """What names the first record of a page; None where it holds none."""
    body = listed.json if listed is not None and isinstance(listed.json, dict) else {}
    values = body.get("values")
    first = values[0] if isinstance(values, list) and values else None
    name = first.get(key) if isinstance(first, dict) else None
    return str(name) if isinstance(name, int | str) else None
