"""Bitbucket Cloud's endpoints, one method each. Answers come back as they are."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from connections.connectors.base import Entry
from connections.connectors.bitbucket_cloud import entrance
from connections.connectors.bitbucket_cloud import fields as wanted
from connections.transport.answers import Answer
from connections.transport.asks import Asks
from connections.transport.errors import UnexpectedResponse
from connections.transport.ledger import Ledger
from connections.transport.paging import page_of

STATES = ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")
# 100 answers 400 “Invalid pagelen” there, whatever the rendered documentation says:
# https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/1182
PULL_REQUEST_PAGE = 50
PAGE = 100
LESS_OF_COMMITS = "-values.rendered,-values.summary,-values.repository,-values.links"
MOST_IN_ADDRESS = 50  # commits that a query names; a form takes more


class BitbucketCloudClient:
    """Reads one workspace. `workspace` and `repository` are uuids in braces, or slugs.

    Methods that list yield an Answer per page, whose `json["values"]` holds the rows. All raise
    ProviderError.
    """

    def __init__(
        self, entry: Entry, *, ledger: Ledger | None = None, transport: Asks | None = None
    ) -> None:
        self.workspace_id = entry.settings.get("workspace", "")
        self.only_repository = entry.settings.get("repository", "")  # of a repository token
        self.transport = transport or entrance.transport(entry, ledger=ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the sockets back."""
        self.transport.close()

    def user(self) -> Answer:
        """The account behind the secret: uuid, display_name, nickname; no e-mail."""
        return self.transport.get("/user")

    def workspaces(self) -> Iterator[Answer]:
        """What the account reaches: `administrator`, `workspace` with uuid and slug, no name."""
        return self.transport.pages("/user/workspaces", {"pagelen": PAGE, "sort": "slug"})

    def workspace(self) -> Answer:
        """The workspace: uuid, slug, name."""
        return self.transport.get(self.in_workspace())

    def members(self) -> Iterator[Answer]:
        """Memberships with `user`, without e-mails."""
        return self.transport.pages(self.in_workspace("members"), {"pagelen": PAGE})

    def repositories(self, *, sort: str = "", q: str = "", fields: str = "") -> Iterator[Answer]:
        """The repositories that the secret sees. One that sees none gets an empty page, not 403."""
        return self.transport.pages(
            f"/repositories/{segment(self.workspace_id)}",
            _given(pagelen=PAGE, sort=sort, q=q, fields=fields),
        )

    def count_repositories(self, *, q: str) -> Answer:
        """A page of one, whose `size` tells how many repositories a query finds."""
        return self.transport.get(
            f"/repositories/{segment(self.workspace_id)}", {"q": q, "pagelen": 1}
        )

    def count_members(self) -> Answer:
        """A page of one, whose `size` tells how many members there are."""
        return self.transport.get(self.in_workspace("members"), {"pagelen": 1})

    def repository(self, repository: str) -> Answer:
        """One repository; 404 is gone or not for this secret."""
        return self.transport.get(self.in_repository(repository))

    def pull_requests(
        self, repository: str, *, q: str, sort: str = "updated_on", start: str = ""
    ) -> Iterator[Answer]:
        """Pull requests by a query, 50 a page, with participants.

        `q` overrides the parameter `state`, so it must name the states itself. `start` is the
        `next` of an earlier page, to go on there.
        """
        if start:
            return self.transport.pages(start)
        return self.transport.pages(
            self.in_repository(repository, "pullrequests"),
            _given(pagelen=PULL_REQUEST_PAGE, q=q, sort=sort, fields=wanted.PULL_REQUESTS),
        )

    def count_pull_requests(self, repository: str, *, q: str) -> Answer:
        """A page of one, whose `size` tells how many a query finds."""
        return self.transport.get(
            self.in_repository(repository, "pullrequests"), {"q": q, "pagelen": 1}
        )

    def pull_request(self, repository: str, number: int) -> Answer:
        """One pull request, with participants and reviewers."""
        return self.transport.get(self.in_repository(repository, "pullrequests", str(number)))

    def activity(self, repository: str, *, start: str = "") -> Iterator[Answer]:
        """The repository's feed, newest first, not strictly; cursors are opaque and may die."""
        path = self.in_repository(repository, "pullrequests", "activity")
        return self._from(path, start, pagelen=PULL_REQUEST_PAGE, fields=wanted.ACTIVITY)

    def pull_request_activity(
        self, repository: str, number: int, *, start: str = ""
    ) -> Iterator[Answer]:
        """The feed of one pull request, newest first."""
        path = self.in_repository(repository, "pullrequests", str(number), "activity")
        return self._from(path, start, pagelen=PULL_REQUEST_PAGE, fields=wanted.ACTIVITY)

    def comments(
        self, repository: str, number: int, *, q: str = "", start: str = ""
    ) -> Iterator[Answer]:
        """Comments of a pull request, all or by a query, oldest first, deleted ones with `deleted`.

        `q` works here: https://github.com/PostHog/posthog/pull/71200
        """
        path = self.in_repository(repository, "pullrequests", str(number), "comments")
        return self._from(path, start, **_given(pagelen=PAGE, q=q, fields=wanted.COMMENTS))

    def comment(self, repository: str, number: int, comment: int) -> Answer:
        """One comment of a pull request, by its own number."""
        steps = ("pullrequests", str(number), "comments", str(comment))
        return self.transport.get(self.in_repository(repository, *steps))

    def pipelines(self, repository: str, *, page: int = 1, pagelen: int = PAGE) -> Answer:
        """One page of runs, newest first. The pages are numbered by us: `next` forgets `sort`.

        https://github.com/PostHog/posthog/pull/71200
        """
        return self.transport.get(
            self.in_repository(repository, "pipelines"),
            {"sort": "-created_on", "page": page, "pagelen": pagelen},
        )

    def pipeline(self, repository: str, run: str) -> Answer:
        """One run by its uuid."""
        return self.transport.get(self.in_repository(repository, "pipelines", run))

    def steps(self, repository: str, run: str) -> Iterator[Answer]:
        """All steps of a run, in the order in which they run."""
        path = self.in_repository(repository, "pipelines", run, "steps")
        return self.transport.pages(path, {"pagelen": PAGE})

    def environments(self, repository: str) -> Iterator[Answer]:
        """The environments that are deployed to, with their names and types."""
        path = self.in_repository(repository, "environments")
        return self.transport.pages(path, {"pagelen": PAGE})

    def deployments(self, repository: str) -> Iterator[Answer]:
        """All deployments, in no documented order; of its environment each knows the uuid only."""
        path = self.in_repository(repository, "deployments")
        return self.transport.pages(path, {"pagelen": PAGE})

    def deployment(self, repository: str, deployment: str) -> Answer:
        """One deployment by its uuid."""
        return self.transport.get(self.in_repository(repository, "deployments", deployment))

    def branches(self, repository: str) -> Iterator[Answer]:
        """The branches with the hashes at their tips, and nothing else of them."""
        fields = "next,size,values.name,values.target.hash"
        path = self.in_repository(repository, "refs", "branches")
        return self.transport.pages(path, {"pagelen": PAGE, "sort": "name", "fields": fields})

    def commits(
        self,
        repository: str,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        start: str = "",
    ) -> Iterator[Answer]:
        """What is reachable from some commits and not from others, newest first.

        A form is sent where there are too many for an address; the pages behind the first are
        always asked for by their own. `start` is the `next` of an earlier page. Raises
        UnknownHashes.
        """
        if start:
            yield from self.transport.pages(start)
            return
        path = self.in_repository(repository, "commits")
        wanted = [*(("include", one) for one in include), *(("exclude", one) for one in exclude)]
        fixed = [("pagelen", str(PAGE)), ("fields", LESS_OF_COMMITS)]
        if len(wanted) <= MOST_IN_ADDRESS:
            yield from self.transport.pages(path, [*fixed, *wanted])
            return
        answer = self.transport.post_form(f"{path}?{urlencode(fixed)}", wanted)
        yield answer
        following = page_of(answer)[1]
        if following:
            yield from self.transport.pages(following)

    def commit(self, repository: str, revision: str) -> Answer:
        """One commit by its hash."""
        return self.transport.get(self.in_repository(repository, "commit", revision))

    def hooks(self, repository: str) -> Iterator[Answer]:
        """The webhooks of a repository."""
        return self.transport.pages(self.in_repository(repository, "hooks"), {"pagelen": PAGE})

    def in_workspace(self, *steps: str) -> str:
        """A path below the workspace."""
        return "/".join(["/workspaces", segment(self.workspace_id), *map(segment, steps)])

    def in_repository(self, repository: str, *steps: str) -> str:
        """A path below a repository."""
        place = [segment(self.workspace_id), segment(repository), *map(segment, steps)]
        return "/".join(["/repositories", *place])

    def _from(self, path: str, start: str, **parameters: object) -> Iterator[Answer]:
        if start:
            return self.transport.pages(start)
        return self.transport.pages(path, parameters)


def segment(text: str) -> str:
    """One step of a path, encoded: braces of uuids become %7B and %7D."""
    return quote(text, safe="")


def one(answer: Answer) -> dict[str, Any]:
    """The object in an answer. Raises UnexpectedResponse where it is something else."""
    if isinstance(answer.json, dict):
        return answer.json
    raise UnexpectedResponse(
        "Bitbucket answered without the record that was asked for.", evidence=answer.evidence()
    )


def _given(**parameters: object) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value not in ("", None)}
