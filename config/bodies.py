"""Bodies as they come over the wire, before and after the application has seen them.

WSGI lets an application read what CONTENT_LENGTH says. A body sent in chunks says nothing, so that
Django takes it for none; and a large one that was refused unread costs the next request its
connection.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from typing import IO, Any

from gunicorn.http.errors import ParseException

LARGEST_BODY = 1_048_576  # bytes of a body that the API reads
LARGEST_IN_CHUNKS = 2 * LARGEST_BODY  # of one that comes in chunks: a webhook's may have as many
UNREAD = 32 * LARGEST_BODY  # bytes that are thrown away, so that the connection can be used again
AT_A_TIME = 65_536
BROKEN = (OSError, ParseException)  # the sender left, or its chunks are none

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def whole_bodies(application: Application) -> Application:
    """The application, with a length for each body that comes, and nothing left of it behind."""

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body, ends = environ["wsgi.input"], environ.get("wsgi.input_terminated", False)
        if "HTTP_TRANSFER_ENCODING" in environ:
            _measure(environ, _read(body) if ends else None)
        answered = application(environ, start_response)
        if ends and int(environ.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            _drain(body)  # a smaller one the server passes over by itself, and waits for nobody
        return answered

    return answer


def _read(body: IO[bytes]) -> bytes | None:
    try:
        return body.read(LARGEST_IN_CHUNKS + 1)
    except BROKEN:
        return None


def _measure(environ: Environ, read: bytes | None) -> None:
    """Give the body its length. One that broke off, or is too large, says more than it has."""
    fits = read is not None and len(read) <= LARGEST_IN_CHUNKS
    environ["wsgi.input"] = BytesIO(read if read is not None and fits else b"")
    if read is None:
        environ["CONTENT_LENGTH"] = "1"
    else:
        environ["CONTENT_LENGTH"] = str(len(read) if fits else UNREAD)


def _drain(body: IO[bytes]) -> None:
    with suppress(*BROKEN):
        for _ in range(UNREAD // AT_A_TIME):
            if not body.read(AT_A_TIME):
                return
