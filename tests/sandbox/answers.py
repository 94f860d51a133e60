"""What goes back to the client: bodies in Bitbucket's envelope, in Bitbucket's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson

JSON = "application/json; charset=utf-8"

BAD_TOKEN = "Token is invalid, expired, or not supported for this endpoint."
EXPIRED_TOKEN = "Access token expired. Use your refresh token to obtain a new access token."
LACKS_SCOPES = "Your credentials lack one or more required privilege scopes."
NO_REPOSITORY = (
    "You may not have access to this repository or it no longer exists in this workspace. "
    "If you think this repository exists and you have access, make sure you are authenticated."
)
ANNOUNCEMENT = "https://developer.atlassian.com/cloud/bitbucket/changelog/#CHANGE-2770"
RATE_LIMITED = "Rate limit for this resource has been exceeded"


@dataclass(slots=True)
class Answer:
    """A whole HTTP answer. `is_page` marks a listing, which faults may bend."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    is_page: bool = False
    hang: bool = False
    cut: bool = False


class Refused(Exception):
    """A handler stops with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def data(body: Any, status: int = 200) -> Answer:
    """Any JSON."""
    return Answer(status, orjson.dumps(body))


def text(status: int, body: str) -> Answer:
    """Plain text, which Bitbucket uses for some errors."""
    return Answer(status, body.encode(), "text/plain; charset=utf-8")


def error(status: int, message: str, **more: Any) -> Answer:
    """The envelope of errors, with detail, data or fields."""
    return data({"type": "error", "error": {"message": message, **more}}, status)


def lacks_scopes(required: Iterable[str], granted: Iterable[str]) -> Answer:
    """403 with both lists, as an object in `detail`."""
    detail = {"required": list(required), "granted": list(granted)}
    return error(403, LACKS_SCOPES, detail=detail)


def unauthorized(message: str = BAD_TOKEN) -> Answer:
    """401."""
    answer = error(401, message)
    answer.headers["www-authenticate"] = 'Bearer realm="Bitbucket.org HTTP"'
    return answer


def no_repository() -> Answer:
    """404: gone or not for these eyes."""
    return error(404, NO_REPOSITORY)


def no_workspace(name: str) -> Answer:
    """404 for a workspace."""
    return error(404, f"No workspace with identifier '{name}'.")


def removed() -> Answer:
    """410 of the cross-workspace listings."""
    message = "CHANGE-2770 - Functionality has been deprecated"
    return error(410, message, data={"announcement_url": ANNOUNCEMENT})


def announced(answer: Answer, days: int = 60) -> Answer:
    """The same answer, whose headers say that its endpoint ends in so many days.

    Bitbucket documents no such headers: these are those of RFC 8594 and RFC 9745.
    """
    now = datetime.now(UTC)
    answer.headers |= {
        "deprecation": f"@{now.timestamp():.0f}",
        "sunset": format_datetime(now + timedelta(days=days), usegmt=True),
        "link": f'<{ANNOUNCEMENT}>; rel="sunset"; type="text/html"',
    }
    return answer
