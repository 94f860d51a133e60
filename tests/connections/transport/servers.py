"""A server that says exactly what it is told to, byte by byte, and remembers what it was asked."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[socket.socket], None]
AT_ONCE = 4  # seconds: less than those that hang or drip for five, also on a busy machine


class Server:
    """Answers each connection's requests, one connection after the other."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[bytes] = []
        self._talk = talk
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                opened, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(opened,), daemon=True).start()

    def _converse(self, opened: socket.socket) -> None:
        with suppress(OSError), opened:
            if self._tls is not None:
                opened = self._tls.wrap_socket(opened, server_side=True)
            while request := self._read(opened):
                self.asked.append(request)
                self._talk(opened)

    def _read(self, opened: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            part = opened.recv(65536)
            if not part:
                return b""
            received += part
        return received


@contextmanager
def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(talk, tls)
    try:
        yield server
    finally:
        server.close()


def answer(
    body: bytes = b"{}", status: str = "200 OK", kind: str = "application/json", **headers: str
) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(*parts: bytes, pause: float = 0.0) -> Talk:
    """Sends the parts, with a pause between them."""

    def talk(opened: socket.socket) -> None:
        for part in parts:
            opened.sendall(part)
            time.sleep(pause)

    return talk
