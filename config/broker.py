"""The embedded broker: Celery's messages as files, for installations without a server for them.

A message is written under another name and then renamed, so that nobody reads half of one; it is
claimed by a rename, so that one worker gets it; one that cannot be read is set aside, so that it
stops nobody. Losing messages loses nothing: the database knows what is due.
"""

import logging
import time
import uuid
from collections import defaultdict, deque
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

ALIAS = "files"
FOREIGN_AFTER = 3600.0  # seconds after which a half-written or half-claimed file is litter


class Channel(virtual.Channel):
    """Queues as folders, messages as files in them, oldest first by their names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed: defaultdict[str, deque[Path]] = defaultdict(deque)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        part = self._folder(queue) / f"{name}.part"
        part.write_bytes(dumps(message).encode())
        part.rename(part.with_suffix(".msg"))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        while (message := self._next(queue)) is not None:
            claimed = _claim(message)
            payload = _read(claimed) if claimed else None
            if payload is not None:
                return payload
        raise Empty

    def _next(self, queue: str) -> Path | None:
        """The oldest message known; the folder is listed again when all known ones are gone."""
        listed = self._listed[queue]
        if not listed:
            listed.extend(self._messages(queue))
        return listed.popleft() if listed else None

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        messages = self._messages(queue)
        for message in messages:
            message.unlink(missing_ok=True)
        return len(messages)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return self._folder(queue).is_dir()

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        for path in self._folder(queue).iterdir():
            if path.suffix in {".part", ".taken"} and _age(path) > FOREIGN_AFTER:
                path.unlink(missing_ok=True)

    def _messages(self, queue: str) -> list[Path]:
        return sorted(path for path in self._folder(queue).iterdir() if path.suffix == ".msg")

    def _folder(self, queue: str) -> Path:
        connection: Any = self.connection  # None only in a channel that was closed
        folder = Path(connection.client.transport_options["folder"]) / queue
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def _claim(message: Path) -> Path | None:
    """Take a message for oneself; None if another worker was faster."""
    try:
        return message.rename(message.with_suffix(".taken"))
    except FileNotFoundError:
        return None


def _read(claimed: Path) -> dict[str, Any] | None:
    """A claimed message; None, and the file set aside, if it is none."""
    try:
        payload: dict[str, Any] = loads(claimed.read_bytes())
        if payload["body"] is not None and payload["properties"]["delivery_tag"]:
            claimed.unlink()
            return payload
    except (ValueError, KeyError, TypeError, OSError) as problem:
        logger.warning("a message cannot be read and was set aside: %s", problem)
    claimed.rename(claimed.with_suffix(".unreadable"))
    return None


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


class Transport(virtual.Transport):
    """Registered as `files://`; the option `folder` says where."""

    Channel = Channel
    global_state = virtual.BrokerState()
    default_port = 0
    driver_type = ALIAS
    driver_name = ALIAS
    implements = virtual.Transport.implements.extend(
        asynchronous=False, exchange_type=frozenset({"direct", "topic"})
    )

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.state = self.global_state

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Look for messages, at most for half a second, so that a worker notices its end."""
        super().drain_events(connection, timeout=min(timeout or 0.5, 0.5), **kwargs)

    def driver_version(self) -> str:
        return "1"


TRANSPORT_ALIASES[ALIAS] = f"{__name__}:Transport"
