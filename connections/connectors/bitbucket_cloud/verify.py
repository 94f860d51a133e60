"""The checks of Bitbucket Cloud, asked side by side."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from connections.connectors.base import (
    Check,
    CheckResult,
    Entry,
    Identity,
    RemoteRepository,
    Stream,
)
from connections.connectors.bitbucket_cloud import entrance
from connections.connectors.bitbucket_cloud.client import one, segment
from connections.connectors.bitbucket_cloud.methods import ENDED
from connections.connectors.bitbucket_cloud.outcomes import (
    outcome_of,
    repositories_of,
    seconds_to_wait,
    without_account,
)
from connections.connectors.findings import OK, Finding, OnResult, conclude
from connections.transport.answers import Answer
from connections.transport.errors import (
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
    checks: Sequence[Check],
    declared: Sequence[Stream],
    streams: Collection[str],
    on_result: OnResult | None,
    whole_list: bool,
) -> Finding:
    """Ask everything, then conclude. Raises RequestInTransaction; ProviderErrors are told."""
    refuse_inside_transaction()
    run = _Run(entry, checks, on_result)
    if entry.method == "app_password" or entrance.secret_of(entry).startswith("ATBB"):
        run.refuse_all("invalid_credentials", ENDED)
    else:
        run.all(whole_list=whole_list)
    return conclude(
        run.results,
        streams=streams,
        declared=declared,
        identity=_counted(run.identity, entry),
        repositories=run.repositories,
        retry_after=run.retry_after,
        requests=run.books.requests,
    )


class _Run:
    """One verification: its results, and what the answers told by the way."""

    def __init__(self, entry: Entry, checks: Sequence[Check], on_result: OnResult | None) -> None:
        self.entry = entry
        self.results = [CheckResult.waiting(check) for check in checks]
        self.identity = Identity()
        self.repositories: list[RemoteRepository] = []
        self.retry_after: float | None = None
        self._checks = dict(zip([check.name for check in checks], checks, strict=True))
        self._results = {result.name: result for result in self.results}
        self._on_result = on_result or (lambda result: None)
        self.books = Counted(ledger())
        self._relay = Relay(self.books)
        self._transport = entrance.transport(entry, ledger=self._relay)
        self._next = ""

    def refuse_all(self, outcome: str, message: str) -> None:
        """Every check fails without a request."""
        for result in self.results:
            result.finish(outcome, message, mended_by="admin")
            self._on_result(result)

    def all(self, *, whole_list: bool) -> None:
        """First the workspace and its lists; then, in one repository, the rest."""
        try:
            first = [name for name in self._checks if name in _FIRST]
            self._relay.run([partial(self._first, name) for name in first])
            if self.repositories:
                jobs: list[Callable[[], Any]] = [self._pull_requests_then_comments]
                if "pipeline_steps" in self._checks:
                    jobs.append(self._pipelines_then_steps)
                jobs += self._others()
                if whole_list and self._next:
                    jobs.append(self._rest_of_list)
                self._relay.run(jobs)
            self._skip_what_waits()
        finally:
            self._transport.close()

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
        readers = {
            "workspace": self._read_workspace,
            "repositories": self._read_repositories,
            "people": self._read_people,
            "account": self._read_account,
        }
        try:
            readers[result.name](result, answer)
        except ProviderError as error:
            self._fail(result, error)

    def _read_workspace(self, result: CheckResult, answer: Answer) -> None:
        body = answer.json if isinstance(answer.json, dict) else {}
        if not body.get("uuid") or not body.get("slug"):
            return result.finish("unexpected_response", "Bitbucket answered without a workspace.")
        told = {"connected": str(body["uuid"])[:100], "connected_name": str(body["slug"])[:200]}
        self._learn(**told)
        return None

    def _read_repositories(self, result: CheckResult, answer: Answer) -> None:
        if self.entry.settings.get("repository"):
            self.repositories = repositories_of([one(answer)])
            if not self.repositories:
                told = "Bitbucket answered without a repository."
                return result.finish("unexpected_response", told, mended_by="time")
        else:
            values, following = page_of(answer)
            self.repositories, self._next = repositories_of(values), following or ""
        if not self.repositories:
            told = "Bitbucket accepts the secret, but shows it no repository."
            result.finish("no_resources", told, mended_by="workspace_admin")
        return None

    def _read_people(self, result: CheckResult, answer: Answer) -> None:
        if not page_of(answer)[0]:
            told = "Bitbucket lists no members of this workspace."
            result.finish("no_resources", told, mended_by="workspace_admin")

    def _read_account(self, result: CheckResult, answer: Answer) -> None:
        body = answer.json if isinstance(answer.json, dict) else {}
        name = body.get("display_name") or body.get("nickname") or ""
        self._learn(acts_as=str(body.get("uuid", ""))[:100], acts_as_name=str(name)[:200])

    def _others(self) -> list[partial[Any]]:
        apart = {*_FIRST, "pull_requests", "pull_request_comments"}
        if "pipeline_steps" in self._checks:
            apart |= {"pipelines", "pipeline_steps"}
        return [partial(self._in_repository, name) for name in self._checks if name not in apart]

    def _in_repository(self, name: str) -> Answer | None:
        """Ask in the repository that changed last; on 403 or 404 in two more."""
        result, answer = self._results[name], None
        for repository in self.repositories[:TRIES]:
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
        try:
            for number, page in enumerate(self._transport.pages(self._next), start=2):
                self.repositories += repositories_of(page_of(page)[0])
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
        if answer.scopes:
            self._learn(scopes=answer.scopes)
        result.finish(OK)
        return answer

    def _fail(self, result: CheckResult, error: ProviderError) -> None:
        result.status = error.evidence.status or result.status
        result.ms = error.evidence.ms if error.evidence.ms is not None else result.ms
        if isinstance(error, InvalidPermissions):
            result.missing_scopes = list(error.missing_scopes)
            result.granted_scopes = list(error.granted)
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

    def _learn(self, **told: Any) -> None:
        # Each thread sets names of its own, and one call after the other.
        self._relay.tell(partial(self._set, told))

    def _set(self, told: dict[str, Any]) -> None:
        self.identity = Identity(**{**vars(self.identity), **told})

    def _tell(self, result: CheckResult) -> None:
        self._relay.tell(partial(self._on_result, CheckResult(**vars(result))))


def _counted(identity: Identity, entry: Entry) -> Identity:
    """The identity with what its requests count for from now on."""
    proven = replace(entry, acts_as=identity.acts_as)
    return replace(identity, quota_subject=entrance.quota_subject(proven))


def _first(listed: Answer | None, key: str) -> str | None:
    """What names the first record of a page; None where it holds none."""
    body = listed.json if listed is not None and isinstance(listed.json, dict) else {}
    values = body.get("values")
    first = values[0] if isinstance(values, list) and values else None
    name = first.get(key) if isinstance(first, dict) else None
    return str(name) if isinstance(name, int | str) else None
