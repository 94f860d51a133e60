"""Runs of pipelines, newest first, with our own page numbers, because `next` forgets `sort`.

https://github.com/PostHog/posthog/pull/71200, https://github.com/ktrysmt/go-bitbucket/issues/107
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from connections.connectors.bitbucket_cloud.client import PAGE, BitbucketCloudClient, one
from connections.transport.errors import NotFound
from ingestion.sources.base import Checkpoint, NewPages, Page, Since, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import Length, clock_of, size_of, values_of
from ingestion.sources.bitbucket_cloud.read import Json, moment_or_none
from ingestion.sources.rows import PipelineRow, Row


@dataclass(slots=True, kw_only=True)
class Position:
    """Where the walk stands: the page to ask for, and how much was listed before it.

    `as_of` is Bitbucket's clock at the walk's first answer. Runs from before `floor` were read by
    the walk before; without one all of them are to be read.
    """

    page: int = 1
    as_of: datetime | None = None
    floor: datetime | None = None
    length: Length = field(default_factory=Length)

    @classmethod
    def at(cls, since: Since) -> Self:
        found = since.checkpoint
        if found is None:
            before = since.behind // PAGE
            length = Length(listed=before * PAGE)
            return cls(page=before + 1, floor=since.watermark, length=length)
        return cls(
            page=found["page"],
            as_of=datetime.fromisoformat(found["as_of"]),
            floor=moment_or_none(found["floor"]),
            length=Length(told=found["told"], listed=(found["page"] - 1) * PAGE),
        )

    def step_back(self) -> None:
        """Ask for the page before this one."""
        self.page -= 1
        self.length = Length(listed=(self.page - 1) * PAGE)

    def checkpoint(self, as_of: datetime, *, is_short: bool) -> Checkpoint | None:
        """Where it goes on: at this page; behind a short one, if it lacks some, from the first."""
        found = {
            "as_of": as_of.isoformat(),
            "page": self.page,
            "told": self.length.told,
            "floor": self.floor.isoformat() if self.floor else None,
        }
        if not is_short:
            return found
        return found | {"page": 1, "told": 0} if self.length.is_short else None


def walk_pipelines(client: BitbucketCloudClient, repository: str, since: Since) -> Walk:
    """Until a short page, or, where the last walk ended, a page on which nothing differs.

    New runs push older ones to later pages: some come twice, none is passed over. So an unfinished
    walk goes on at the page where it stood, or at the first where it ended short. None stops before
    it has come to runs from before its floor: what is new on the first page may have been brought
    by a webhook, and what lies below it not. A walk into earlier history begins at the page that
    shows the oldest run which is here.
    """
    at, pages = Position.at(since), NewPages("pipelines")
    down_to = min(since.look_back_to or at.floor, at.floor) if at.floor else None
    while True:
        answer = client.pipelines(repository, page=at.page)
        # Behind the end there is a page without anything, by a recording not even a list.
        is_list = bool(answer.json) or at.page == 1
        values: list[Json] = values_of(answer) if is_list else []
        rows = parse.rows(values, parse.pipeline, "uuid")
        is_first = at.as_of is None
        if is_first and at.page > 1 and not _reaches_back(rows, since.until):
            at.step_back()  # fewer are listed above the stretch than are here
            continue
        if is_list:
            at.length.add(answer)
        expected = size_of(answer) if is_first and since.until is None else None
        at.as_of = at.as_of or clock_of(answer)
        is_short = len(values) < PAGE
        if not is_short:
            pages.check([value.get("uuid") for value in values])
        asks = down_to is not None and not is_short and _reaches_past(rows, down_to)
        at.page += 1
        differs = yield Page(
            rows=rows,
            checkpoint=at.checkpoint(at.as_of, is_short=is_short),
            as_of=at.as_of,
            expected=expected,
            wants_verdict=asks,
        )
        if is_short:
            at.length.check("pipelines")
        if is_short or (asks and not differs) or not _reaches_back(rows, since.not_before, True):
            return


def walk_runs(client: BitbucketCloudClient, repository: str, runs: Sequence[str]) -> Walk:
    """Runs by their uuids, a request for each."""
    for run in runs:
        try:
            answer = client.pipeline(repository, run)
        except NotFound:
            continue
        yield Page(rows=parse.rows([one(answer)], parse.pipeline, "uuid"))


def _reaches_past(rows: list[Row], moment: datetime) -> bool:
    """Whether a page has runs that are older than this moment."""
    return any(isinstance(row, PipelineRow) and row.created_on < moment for row in rows)


def _reaches_back(rows: list[Row], moment: datetime | None, without: bool = False) -> bool:
    """Whether a page has runs that are younger than this moment; `without` one, that answer."""
    if moment is None:
        return without
    return any(isinstance(row, PipelineRow) and row.created_on >= moment for row in rows)
