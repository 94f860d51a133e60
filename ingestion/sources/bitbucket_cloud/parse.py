"""How Bitbucket's objects become rows. Shapes: bitbucket.md of the research, and its recordings."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from ingestion.sources.bitbucket_cloud.read import (
    Json,
    Unreadable,
    address,
    inside,
    label,
    moment,
    moment_or_none,
    number,
    number_or_none,
    text,
)
from ingestion.sources.rows import (
    CommentRow,
    EventRow,
    Participant,
    PersonRow,
    PipelineRow,
    PullRequestRow,
    RejectedRecord,
    RepositoryRow,
    Row,
)

SHORT_HASH = 40


def rows(
    values: Iterable[Json], parse: Callable[[Json], Row], key: str, parent: object = ""
) -> list[Row]:
    """A row for each record; one that cannot be read becomes a RejectedRecord.

    `parent` is the pull request, or run, whose details they are.
    """
    found: list[Row] = []
    for value in values:
        try:
            found.append(parse(value))
        except Unreadable as problem:
            name = value.get(key)
            told = {"reason": str(problem), "parent": str(parent)}
            found.append(RejectedRecord(key=label(str(name))[:200], **told))
    return found


def person(value: Any) -> PersonRow | None:
    """An account. Deleted ones are null; whoever has no uuid is nobody."""
    if not isinstance(value, dict):
        return None
    told = tuple(map(value.get, ("uuid", "account_id", "display_name", "nickname", "type")))
    try:
        return _account(*told)
    except TypeError:  # a value that is none, such as a list, cannot be remembered by
        return _account.__wrapped__(*told)


@lru_cache(maxsize=1_000)
def _account(uuid: Any, account_id: Any, name: Any, nickname: Any, kind: Any) -> PersonRow | None:
    """The few people of a workspace stand on every record: a hundred times on a page."""
    uuid = text(uuid, 64)
    if not uuid.strip("{}"):
        return None
    return PersonRow(
        uuid=uuid,
        account_id=text(account_id, 128),
        name=label(name),
        nickname=label(nickname),
        kind=text(kind, 20),
    )


def member(value: Json) -> PersonRow:
    """A row of /workspaces/{workspace}/members."""
    found = person(value.get("user"))
    if found is None:
        raise Unreadable("the member has no uuid")
    return found


def repository(value: Json) -> RepositoryRow:
    """A row of /repositories/{workspace}. `mainbranch` is null where nothing was pushed."""
    uuid = text(value.get("uuid"), 64)
    if not uuid:
        raise Unreadable("the repository has no uuid")
    return RepositoryRow(
        uuid=uuid,
        name=label(value.get("name")),
        slug=label(value.get("slug") or text(value.get("full_name")).rpartition("/")[2]),
        full_name=text(value.get("full_name"), 2 * 255),
        project_key=label(inside(value, "project", "key")),
        project_name=label(inside(value, "project", "name")),
        is_private=value["is_private"] if isinstance(value.get("is_private"), bool) else None,
        language=label(value.get("language")),
        main_branch=label(inside(value, "mainbranch", "name")),
        parent_uuid=text(inside(value, "parent", "uuid"), 64),
        size=number_or_none(value.get("size")),
        web_url=address(inside(value, "links", "html", "href")),
        created_on=moment_or_none(value.get("created_on")),
        updated_on=moment(value.get("updated_on") or value.get("created_on"), "last change"),
    )


def pull_request(value: Json) -> PullRequestRow:
    """A row of …/pullrequests. Hashes have 12 characters; a lost fork has a null repository."""
    source, destination = value.get("source"), value.get("destination")
    return PullRequestRow(
        number=number(value.get("id"), "id"),
        title=text(value.get("title")),
        description=text(value.get("description") or inside(value, "summary", "raw")),
        state=text(value.get("state")),
        is_draft=value.get("draft") is True,
        author=person(value.get("author")),
        closed_by=person(value.get("closed_by")),
        source_branch=text(inside(source, "branch", "name")),
        source_commit=text(inside(source, "commit", "hash"), SHORT_HASH),
        source_repository_uuid=text(inside(source, "repository", "uuid"), 64),
        destination_branch=text(inside(destination, "branch", "name")),
        destination_commit=text(inside(destination, "commit", "hash"), SHORT_HASH),
        merge_commit=text(inside(value, "merge_commit", "hash"), SHORT_HASH),
        close_source_branch=value.get("close_source_branch") is True,
        reason=text(value.get("reason")),
        comment_count=number_or_none(value.get("comment_count")) or 0,
        task_count=number_or_none(value.get("task_count")) or 0,
        web_url=address(inside(value, "links", "html", "href")),
        created_on=moment_or_none(value.get("created_on")),
        updated_on=moment(value.get("updated_on"), "last change"),
        participants=_participants(value.get("participants")),
    )


def _participants(value: Any) -> tuple[Participant, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(found for one in value if (found := _participant(one)) is not None)


def _participant(value: Any) -> Participant | None:
    who = person(inside(value, "user"))
    if who is None:
        return None
    return Participant(
        person=who,
        role=text(value.get("role"), 20),
        state=text(value.get("state"), 30),
        is_approved=value.get("approved") is True,
        participated_on=moment_or_none(value.get("participated_on")),
    )


def event(value: Json) -> EventRow:
    """An entry of …/pullrequests/activity: its pull request and exactly one thing that happened."""
    pull_request, title = value.get("pull_request"), inside(value, "pull_request", "title")
    place: Json = {
        "pull_request": number(inside(pull_request, "id"), "id of the pull request"),
        "title": text(title),
        "web_url": address(inside(pull_request, "links", "html", "href")),
    }
    if isinstance(said := value.get("comment"), dict):
        return EventRow(
            kind="comment",
            happened_at=moment(said.get("created_on"), "time"),
            person=person(said.get("user")),
            comment_number=number(said.get("id"), "id of the comment"),
            **place,
        )
    if isinstance(update := value.get("update"), dict):
        return _update(update, place)
    for kind in ("approval", "changes_requested"):
        if isinstance(done := value.get(kind), dict):
            return EventRow(
                kind=kind,
                happened_at=moment(done.get("date"), "time"),
                person=person(done.get("user")),
                **place,
            )
    raise Unreadable("an entry of an unknown kind")


def _update(value: Json, place: Json) -> EventRow:
    changes = value.get("changes")
    return EventRow(
        kind="update",
        happened_at=moment(value.get("date"), "time"),
        person=person(value.get("author")),
        state=text(value.get("state"), 20),
        source_commit=text(inside(value, "source", "commit", "hash"), SHORT_HASH),
        changes=_changes(changes) if isinstance(changes, dict) else {},
        **place,
    )


def _changes(value: Json) -> Json:
    """What changed, by name: [old, new] for plain values, ["", ""] kept out."""
    return {
        text(name, 100): [_plain(inside(change, "old")), _plain(inside(change, "new"))]
        for name, change in value.items()
        if isinstance(change, dict) and ("old" in change or "new" in change)
    }


def _plain(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return text(value)
    name = inside(value, "display_name") or inside(value, "name") or inside(value, "hash")
    return text(name) if isinstance(name, str) else None


def comment(value: Json, pull_request: int) -> CommentRow:
    """A row of …/pullrequests/{id}/comments, or the comment of a feed's entry."""
    inline = value.get("inline")
    line = inside(inline, "to")
    return CommentRow(
        pull_request=pull_request,
        number=number(value.get("id"), "id of the comment"),
        author=person(value.get("user")),
        content=text(inside(value, "content", "raw")),
        path=text(inside(inline, "path")),
        line=number_or_none(line if line is not None else inside(inline, "from")),
        parent_number=number_or_none(inside(value, "parent", "id")),
        is_deleted=value.get("deleted") is True,
        is_resolved=isinstance(value.get("resolution"), dict),
        created_on=moment_or_none(value.get("created_on")),
        updated_on=moment_or_none(value.get("updated_on")),
    )


def pipeline(value: Json) -> PipelineRow:
    """A row of …/pipelines. Its target may be of a type that nobody knows yet.

    What is built for a pull request is its source; the destination is only where it would go.
    """
    uuid = text(value.get("uuid"), 64)
    if not uuid:
        raise Unreadable("the run has no uuid")
    target = value.get("target")
    result = inside(value, "state", "result", "name") or inside(value, "state", "stage", "name")
    return PipelineRow(
        uuid=uuid,
        number=number(value.get("build_number"), "build number"),
        run_number=number_or_none(value.get("run_number")) or 1,
        state=text(inside(value, "state", "name"), 40),
        result=text(result, 40),
        trigger=text(inside(value, "trigger", "name"), 60),
        creator=person(value.get("creator")),
        target=text(inside(target, "type"), 60),
        ref_name=text(inside(target, "ref_name") or inside(target, "source")),
        commit=text(inside(target, "commit", "hash"), 40),
        duration=number_or_none(value.get("duration_in_seconds")),
        build_seconds=number_or_none(value.get("build_seconds_used")),
        created_on=moment(value.get("created_on"), "start"),
        completed_on=moment_or_none(value.get("completed_on")),
    )
