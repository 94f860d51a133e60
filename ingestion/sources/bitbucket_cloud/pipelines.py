"""Runs of pipelines, newest first, with our own page numbers, because `next` forgets `sort`.

https://github.com/PostHog/posthog/pull/71200, https://github.com/ktrysmt/go-bitbucket/issues/107
"""

from collections.abc import Sequence
from datetime import datetime

from connections.connectors.bitbucket_cloud.client import PAGE, BitbucketCloudClient, one
from connections.transport.errors import NotFound
from ingestion.sources.base import Checkpoint, NewPages, Page, Since, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import Length, clock_of, size_of, values_of
from ingestion.sources.bitbucket_cloud.read import Json
from ingestion.sources.rows import PipelineRow, Row


def walk_pipelines(client: BitbucketCloudClient, repository: str, since: Since) -> Walk:
    """Until a short page, or, where the last walk ended, a page on which nothing differs.

    New runs push older ones to later pages: some come twice, none is passed over. So an unfinished
    walk goes on at the page where it stood; one that ended short begins anew and reads all of it.
    """
    page, as_of, length = 1, None, Length()
    if since.checkpoint:
        page, as_of = since.checkpoint["page"], datetime.fromisoformat(since.checkpoint["as_of"])
        length = Length(told=since.checkpoint["told"], listed=(page - 1) * PAGE)
    may_stop = since.watermark is not None and since.checkpoint is None
    pages = NewPages("pipelines")
    while True:
        answer = client.pipelines(repository, page=page)
        # Behind the end there is a page without anything, by a recording not even a list.
        values: list[Json] = []
        if answer.json or page == 1:
            values = values_of(answer)
            length.add(answer)
        expected = size_of(answer) if as_of is None else None
        as_of = as_of or clock_of(answer)
        is_short = len(values) < PAGE
        rows = parse.rows(values, parse.pipeline, "uuid")
        if not is_short:
            pages.check([value.get("uuid") for value in values])
        asks = may_stop and not is_short and not _reaches_back(rows, since.look_back_to)
        page += 1
        differs = yield Page(
            rows=rows,
            checkpoint=_behind(page, as_of, length, is_short),
            as_of=as_of,
            expected=expected,
            wants_verdict=asks,
        )
        if is_short:
            length.check("pipelines")
        if is_short or (asks and not differs) or not _reaches_back(rows, since.not_before, True):
            return


def _behind(page: int, as_of: datetime, length: Length, is_short: bool) -> Checkpoint | None:
    """Where the walk goes on: at this page; behind a short one not at all, unless it lacks some."""
    found = {"as_of": as_of.isoformat(), "page": page, "told": length.told}
    if not is_short:
        return found
    return found | {"page": 1, "told": 0} if length.is_short else None


def walk_runs(client: BitbucketCloudClient, repository: str, runs: Sequence[str]) -> Walk:
    """Runs by their uuids, a request for each."""
    for run in runs:
        try:
            answer = client.pipeline(repository, run)
        except NotFound:
            continue
        yield Page(rows=parse.rows([one(answer)], parse.pipeline, "uuid"))


def _reaches_back(rows: list[Row], moment: datetime | None, without: bool = False) -> bool:
    """Whether a page has runs that are younger than this moment; `without` one, that answer."""
    if moment is None:
        return without
    return any(isinstance(row, PipelineRow) and row.created_on >= moment for row in rows)
