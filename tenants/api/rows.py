"""How the API writes a row's instants and its version."""

from datetime import UTC, datetime
from typing import Any

from rest_framework.request import Request

from tenants.refusals import ApiError


def timestamp(instant: datetime | None) -> str | None:
    """An instant as the API writes it: ISO 8601, UTC, milliseconds, Z."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def etag(row: Any) -> str:
    """The mark of a row's version."""
    return f'"{row.pk}-{row.version}"'


def check_if_match(request: Request, row: Any) -> None:
    """Raise precondition_failed if `If-Match` names other versions of the row only.

    The service must check `row.version` again in its UPDATE.
    """
    given = request.headers.get("If-Match")
    if given is None:
        return
    named = {one.strip() for one in given.split(",")}
    if not named & {"*", etag(row), etag(row).strip('"')}:
        raise ApiError("precondition_failed", "It was changed since you read it. Read it again.")
