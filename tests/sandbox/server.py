"""The web server in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

PATIENCE = 10.0


class Server:
    """Uvicorn on 127.0.0.1; port 0 takes a free one."""

    def __init__(self, application: ASGIApp) -> None:
        self.application = application
        self.port = 0
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> None:
        """Bind, serve in the background, return when requests are taken."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(512)
        self.port = listening.getsockname()[1]
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self.application,
                log_level="critical",
                access_log=False,
                date_header=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True
        )
        self._thread.start()
        self._await_start()

    def stop(self) -> None:
        """Stop serving, at once."""
        if self._uvicorn is None or self._thread is None:
            return
        self._uvicorn.should_exit = True
        self._uvicorn.force_exit = True
        self._thread.join(PATIENCE)
        self._uvicorn = self._thread = None

    def wait(self) -> None:
        """Until the server stops."""
        with contextlib.suppress(KeyboardInterrupt):
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(0.5)

    def _await_start(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._uvicorn is not None and not self._uvicorn.started:
            if time.monotonic() > deadline or not (self._thread and self._thread.is_alive()):
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)
