"""What is asked for of each record: what is read of it, and no more.

Bitbucket's records are mostly links; a page of 50 pull requests has 330 kB, with these lists 60 kB.
A list of fields must name `next`, or paging stops after the first page, and brings the participants
that a listing of pull requests leaves out otherwise.
"""

from collections.abc import Iterable, Iterator

PERSON = ("uuid", "account_id", "display_name", "nickname", "type")
BRANCH = ("branch.name", "commit.hash")
COMMENT = "id content.raw inline parent.id deleted resolution.type created_on updated_on".split()


def _inside(name: str, fields: Iterable[str]) -> Iterator[str]:
    return (f"{name}.{field}" for field in fields)


def _page(*fields: str) -> str:
    """The parameter `fields` of a listing whose records have these."""
    return ",".join(("next", "size", *_inside("values", fields)))


PULL_REQUESTS = _page(
    *"id title description summary.raw state draft reason comment_count task_count".split(),
    *"close_source_branch merge_commit.hash links.html.href created_on updated_on".split(),
    *_inside("author", PERSON),
    *_inside("closed_by", PERSON),
    *_inside("source", (*BRANCH, "repository.uuid")),
    *_inside("destination", BRANCH),
    *_inside("participants", ("role", "state", "approved", "participated_on")),
    *_inside("participants.user", PERSON),
)
COMMENTS = _page(*COMMENT, *_inside("user", PERSON))
ACTIVITY = _page(
    *_inside("pull_request", ("id", "title", "links.html.href")),
    *_inside("update", ("date", "state", "changes", "source.commit.hash")),
    *_inside("update.author", PERSON),
    *_inside("comment", (*COMMENT, *_inside("user", PERSON))),
    *_inside("approval", ("date", *_inside("user", PERSON))),
    *_inside("changes_requested", ("date", *_inside("user", PERSON))),
)
