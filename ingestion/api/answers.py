"""What the methods answer, for the description of the API."""

from typing import Any

from ingestion.models import State, Sync
from ingestion.selectors.tables import TABLES, columns_of, kind_of
from tenants.api.shapes import (
    Answer,
    Identifier,
    ListAnswer,
    ListOfWords,
    Moment,
    Number,
    Row,
    Schema,
    Shape,
    Words,
    YesOrNo,
)

KINDS: dict[str, Schema] = {
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "moment": {"type": "string", "format": "date-time", "pattern": Moment.PATTERN},
    "json": {"type": ["object", "array"]},
    "text": {"type": "string"},
}


def record_schema(table: str) -> Schema:
    """A record of a table, column by column."""
    properties = {field.attname: _column(field) for field in columns_of(TABLES[table])}
    return {
        "type": "object",
        "description": (TABLES[table].__doc__ or "").strip(),
        "properties": properties,
        "required": list(properties),
    }


def any_record() -> Schema:
    return {"anyOf": [{**record_schema(table), "title": table} for table in sorted(TABLES)]}


def repository_schema() -> Schema:
    """A repository: its columns, and whether it is synced."""
    schema = record_schema("repositories")
    schema["properties"]["selected"] = schema["properties"].pop("is_selected")
    return {**schema, "required": list(schema["properties"])}


def _column(field: Any) -> Schema:
    found = dict(KINDS[kind_of(field)])
    if field.null:
        kinds = found["type"] if isinstance(found["type"], list) else [found["type"]]
        found["type"] = [*kinds, "null"]
    return {**found, **({"description": field.help_text} if field.help_text else {})}


REPOSITORY = {
    "id": 31,
    "connection_id": 7,
    "changed_at": "2026-11-26T08:14:03.512Z",
    "removed_at": None,
    "uuid": "{e3138872-5c69-4577-aaab-e9f890fba1a3}",
    "name": "api",
    "slug": "api",
    "full_name": "acme/api",
    "project_key": "CORE",
    "project_name": "Core",
    "is_private": True,
    "language": "python",
    "main_branch": "main",
    "parent_uuid": "",
    "size": 1048576,
    "web_url": "https://bitbucket.org/acme/api",
    "created_on": "2021-03-01T09:00:00.000Z",
    "updated_on": "2026-11-26T08:10:00.000Z",
}


class Counts(Row):
    """What a sync did to rows. `updated` differ; `unchanged` came back as they were."""

    read = Number(120)
    created = Number(80)
    updated = Number(20)
    unchanged = Number(20)
    removed = Number(0)


class EvidenceRow(Row):
    """What was asked of Bitbucket and what came back, as far as it is known; no secrets."""

    method = Words("GET", required=False)
    path = Words("/2.0/repositories/acme/api/pipelines", required=False)
    status = Number(403, required=False)
    ms = Number(84, required=False)
    trace_id = Words("4d991389216d4f57be7fe8111147e5cc", required=False)
    excerpt = Words('{"type": "error"}', required=False, help_text="The answer's beginning.")


class ErrorRow(Row):
    """What went wrong."""

    code = Words("unreachable")
    message = Words("Bitbucket does not answer.")
    retryable = YesOrNo(required=False, help_text="Whether waiting can help.")
    mended_by = Words("time", required=False, help_text="Who can mend it.")
    evidence = EvidenceRow(required=False, help_text="There where Bitbucket was asked.")
    missing_scopes = ListOfWords(required=False, help_text="There with `invalid_permissions`.")


class StreamRow(Counts):
    """One stream in a sync."""

    stream = Words("pull_requests")
    state = Words("succeeded", lambda: State.values)
    progress = Shape({"type": "number", "minimum": 0, "maximum": 1}, 1.0)
    requests = Number(6)
    complete_as_of = Moment(allow_null=True)
    error = ErrorRow(allow_null=True)


class SyncRow(Row):
    """One run that copies streams of a connection."""

    id = Identifier(41)
    connection_id = Identifier(7)
    trigger = Words("api", lambda: Sync.Trigger.values)
    mode = Words("incremental", lambda: Sync.Mode.values)
    state = Words("succeeded", lambda: State.values)
    reason = Words(None, allow_null=True, help_text="What it waits for: quota, retry, turn.")
    resume_at = Moment(None, allow_null=True)
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    heartbeat_at = Moment(allow_null=True)
    progress = Shape({"type": "number", "minimum": 0, "maximum": 1}, 1.0)
    counts = Counts()
    requests = Number(12)
    error = ErrorRow(allow_null=True)
    streams = StreamRow(many=True)


class SyncAnswer(Answer):
    """One sync."""

    sync = SyncRow()


class FetchAnswer(Answer):
    """The sync that fetches what is missing."""

    sync = SyncRow(allow_null=True, help_text="Null: nothing was missing when it was compared.")


class SyncsAnswer(ListAnswer):
    """A page of syncs, the newest first."""

    syncs = SyncRow(many=True)


class CoverageRow(Row):
    """Up to where one stream of one repository is complete."""

    repository_id = Identifier(31, allow_null=True, help_text="Null: of the connection.")
    repository = Words("acme/api", allow_null=True)
    stream = Words("pull_requests")
    complete_as_of = Moment(allow_null=True)
    watermark = Moment(allow_null=True)
    gap = Shape({"type": "object"}, None, allow_null=True, help_text="What is missing, and why.")
    comparison = Shape(
        {
            "type": "object",
            "properties": {
                "at": {"type": "string", "format": "date-time"},
                "theirs": {"type": "integer", "description": "What Bitbucket counts."},
                "ours": {"type": "integer", "description": "What of it is here."},
                "twice": {"type": "integer"},
            },
        },
        {"at": "2026-10-05T09:12:00.000Z", "theirs": 4000, "ours": 4000, "twice": 0},
        allow_null=True,
        help_text="The last comparison with Bitbucket's count; null: never compared.",
    )


class CoverageAnswer(ListAnswer):
    """A page of coverage."""

    coverage = CoverageRow(many=True)


class RepositoriesAnswer(Answer):
    """Repositories with their choice."""

    repositories = Shape(
        lambda: {"type": "array", "items": repository_schema()},
        [{**REPOSITORY, "selected": True}],
    )


class RepositoriesPage(RepositoriesAnswer, ListAnswer):
    """A page of repositories."""


class RecordsAnswer(ListAnswer):
    """A page of records."""

    table = Words("repositories", lambda: sorted(TABLES))
    records = Shape(
        lambda: {"type": "array", "items": any_record()}, [{**REPOSITORY, "is_selected": True}]
    )


class QuotaRow(Row):
    """What a credential may still ask in the rolling hour; null before its first request."""

    credential_id = Identifier(12)
    label = Words("CI token")  # type: ignore[assignment]  # an attribute of all fields
    connection_id = Identifier(7)
    limit = Number(1000, allow_null=True)
    used = Number(120, allow_null=True)
    own = Number(120, allow_null=True, help_text="Of these: what your organization asked.")
    left = Number(880, allow_null=True)
    free_at = Moment(None, allow_null=True)
    next_free_at = Moment(None, allow_null=True, help_text="When the oldest ones count no more.")


class QuotaAnswer(Answer):
    """The quota of each credential."""

    quota = QuotaRow(many=True)


class ScheduledRow(Row):
    """What each sync of the schedule takes, and how many requests it is allowed."""

    requests = Number(240)
    allowed = Number(450)
    fits = YesOrNo()


class EstimateAnswer(Answer):
    """What a first sync takes, about."""

    requests = Number(5700)
    low = Number(5100)
    high = Number(6300)
    seconds = Number(2900)
    hours_at_quota = Shape({"type": "number", "minimum": 0}, 5.6)
    by_stream = Shape(
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"repositories": 1, "pull_requests": 900},
    )
    schedule = ScheduledRow(allow_null=True)
