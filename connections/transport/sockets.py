"""Connections that are opened only to checked addresses, and exchanges that end in time."""

import contextlib
import os
import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from connections.transport import guard

_here = threading.local()


class Watch:
    """Ends an exchange at its deadline, however slowly the other end drips its bytes.

    A socket's own timeout counts from byte to byte; this counts the whole.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.ends = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        _here.watch = self
        _keeper.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _here.watch = None
        _keeper.remove(self)

    def over(self, opened: socket.socket) -> None:
        """Watch this socket from now on."""
        with self._lock:
            self._socket = opened
            if self.expired:
                _shut(opened)

    def expire(self) -> None:
        """Cut the exchange off."""
        with self._lock:
            self.expired = True
            if self._socket is not None:
                _shut(self._socket)


class _Keeper:
    """One thread of a process that looks after all its watches; a thread each is ten times dearer.

    It looks a few times a second while anything is watched, and sleeps when nothing was for long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._is_busy = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._lock:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, daemon=True, name="deadlines")
                self._thread.start()
        if not self._is_busy.is_set():
            self._is_busy.set()

    def remove(self, watch: Watch) -> None:
        with self._lock:
            self._watches.discard(watch)

    def _keep(self) -> None:
        idle = 0
        while True:
            time.sleep(EVERY)
            idle = 0 if self._expire_what_is_due() else idle + 1
            if idle * EVERY > RESTLESS:
                self._sleep()

    def _expire_what_is_due(self) -> bool:
        """Returns whether anything is watched at all."""
        with self._lock:
            watched = list(self._watches)
        moment = time.monotonic()
        for watch in watched:
            if watch.ends <= moment:
                watch.expire()
        return bool(watched)

    def _sleep(self) -> None:
        self._is_busy.clear()
        if not self._watches:  # else something came between the look and the clearing
            self._is_busy.wait()


EVERY, RESTLESS = 0.1, 10.0  # seconds
_keeper = _Keeper()


def _begin_anew() -> None:
    """A process that was forked has no thread but its own."""
    global _keeper
    _keeper = _Keeper()


os.register_at_fork(after_in_child=_begin_anew)


def _shut(opened: socket.socket) -> None:
    # The plain socket's method: that of an SSL socket also drops its cipher state, and the thread
    # that reads would then take ciphertext for an answer. One that is closed already is fine.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def _watched(opened: Any) -> None:
    watch: Watch | None = getattr(_here, "watch", None)
    if watch is not None and isinstance(opened, socket.socket):
        watch.over(opened)


class GuardedConnection(HTTPConnection):
    """Looks up, checks, then opens to what was checked."""

    def _new_conn(self) -> socket.socket:
        error: OSError | None = None
        for family, kind, protocol, _, target in guard.addresses(self.host, self.port or 80):
            opened = socket.socket(family, kind, protocol)
            try:
                _prepare(opened, self.timeout, self.socket_options)
                _watched(opened)
                opened.connect(target)
            except OSError as failed:
                opened.close()
                error = failed
            else:
                return opened
        raise error or OSError("no address")

    def getresponse(self) -> Any:
        _watched(self.sock)
        return super().getresponse()


def _prepare(opened: socket.socket, timeout: Any, options: Any) -> None:
    for option in options or ():
        opened.setsockopt(*option)
    if isinstance(timeout, int | float):
        opened.settimeout(timeout)


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """The same, inside TLS. The certificate is checked against the host's name."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = GuardedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = GuardedTlsConnection


class GuardedAdapter(HTTPAdapter):
    """An adapter of requests whose pools open guarded connections, and which never retries.

    Without a session around it nothing is followed, no cookie kept, and no .netrc or proxy variable
    has a say: it would replace the secret, or carry it off.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=10, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
