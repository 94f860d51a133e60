"""What the answers to the checks tell by the way: the workspace, who it is, what it sees."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from connections.connectors.base import CheckResult, Entry, Identity, RemoteRepository
from connections.connectors.bitbucket_cloud import kinds
from connections.connectors.bitbucket_cloud.client import one
from connections.connectors.bitbucket_cloud.outcomes import project_of, repositories_of, size_of
from connections.transport.answers import Answer
from connections.transport.paging import page_of


class Learned:
    """Gathered by several threads: each hands what it learned to the one that waits for them."""

    def __init__(self, entry: Entry, tell: Callable[[Callable[[], Any]], None]) -> None:
        self.identity = Identity(kind=kinds.kind_of_entry(entry, "", ()))
        self.repositories: list[RemoteRepository] = []
        self.following = ""  # the next page of repositories
        self._entry = entry
        self._tell = tell
        self._project = ""

    def of_secret(self, credential_type: str, scopes: Sequence[str] = ()) -> None:
        """What the headers of an answer tell of the secret."""
        kind = kinds.kind_of(credential_type)
        told = {"kind": kind} if kind else {}
        self._learn(**told, **({"scopes": tuple(scopes)} if scopes else {}))

    def conclude(self) -> str:
        """Whom the secret acts as, now that the first answers are there; the kind it is of."""
        identity = self.identity
        kind = kinds.kind_of_entry(self._entry, identity.kind, identity.scopes)
        self.identity = kinds.whom(replace(identity, kind=kind), self._entry, self._project)
        return kind

    def read(self, result: CheckResult, answer: Answer) -> None:
        """Take in the answer to one of the first checks. Raises UnexpectedResponse."""
        readers = {
            "workspace": self._workspace,
            "repositories": self._repositories,
            "people": self._people,
            "account": self._account,
        }
        readers[result.name](result, answer)

    def _workspace(self, result: CheckResult, answer: Answer) -> None:
        body = answer.json if isinstance(answer.json, dict) else {}
        if not body.get("uuid") or not body.get("slug"):
            told = "Bitbucket answered without a workspace."
            result.finish("unexpected_response", told, mended_by="time")
            return
        names = {"connected": str(body["uuid"])[:100], "connected_name": str(body["slug"])[:200]}
        self._learn(**names)

    def _repositories(self, result: CheckResult, answer: Answer) -> None:
        if self._entry.settings.get("repository"):
            self._repository(result, answer)
            return
        values, following = page_of(answer)
        self.repositories, self.following = repositories_of(values), following or ""
        self._project = project_of(values)
        self._learn(sees=size_of(answer, values))
        if not self.repositories:
            told = "Bitbucket accepts the secret, but shows it no repository."
            result.finish("no_resources", told, mended_by="workspace_admin")

    def _repository(self, result: CheckResult, answer: Answer) -> None:
        self.repositories = repositories_of([one(answer)])
        if not self.repositories:
            told = "Bitbucket answered without a repository."
            result.finish("unexpected_response", told, mended_by="time")
            return
        self._learn(acts_as_name=self.repositories[0].name[:200], sees=1)

    def _people(self, result: CheckResult, answer: Answer) -> None:
        if not page_of(answer)[0]:
            told = "Bitbucket lists no members of this workspace."
            result.finish("no_resources", told, mended_by="workspace_admin")

    def _account(self, result: CheckResult, answer: Answer) -> None:
        body = answer.json if isinstance(answer.json, dict) else {}
        name = body.get("display_name") or body.get("nickname") or ""
        self._learn(acts_as=str(body.get("uuid", ""))[:100], acts_as_name=str(name)[:200])

    def _learn(self, **told: Any) -> None:
        # Each thread sets names of its own, and one call after the other.
        self._tell(partial(self._set, told))

    def _set(self, told: dict[str, Any]) -> None:
        self.identity = Identity(**{**vars(self.identity), **told})
