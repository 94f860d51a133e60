"""The web application: one gate in front of everything but the control pages."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from uuid import uuid4

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.sandbox.answers import Answer, text
from tests.sandbox.api import Api, Incoming
from tests.sandbox.change import Change
from tests.sandbox.consent.pages import Consent
from tests.sandbox.control.api import control_app
from tests.sandbox.journal import Served
from tests.sandbox.site import Site

LONGEST_HANG = 600.0
LOOK = 0.005  # seconds between two looks whether an answer is still held


def application(site: Site, change: Change) -> ASGIApp:
    """/control for people and tests, everything else as Bitbucket would answer it."""
    return Starlette(routes=[Mount("/control", control_app(site, change)), Mount("/", Gate(site))])


class Gate:
    """Latency, faults, answers and the journal."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.api = Api(site)
        self.consent = Consent(site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = time.perf_counter()
        request = await _read(scope, receive)
        answer, delay = self._answer(request)
        if self.site.latency + delay > 0:
            await asyncio.sleep(self.site.latency + delay)
        while self._is_held(request):  # noqa: ASYNC110  # another thread ends it
            await asyncio.sleep(LOOK)
        if answer.hang:
            await _until_gone(receive)
        else:
            await _send(answer, self._headers(answer), send)
        self._note(request, answer, started)

    def _is_held(self, request: Incoming) -> bool:
        held = self.site.held
        return bool(held and request.token and request.token.label == held)

    def _answer(self, request: Incoming) -> tuple[Answer, float]:
        site = self.site
        with site.lock:
            answer = self._route(request)
            url = f"{site.renderer.places.web}{request.path}?{request.query}"
            return site.faults.apply(request.method, request.path, request.query, url, answer)

    def _route(self, request: Incoming) -> Answer:
        if request.path.startswith("/2.0"):
            return self.api.answer(request)
        if request.path.startswith("/site/oauth2/"):
            return self.consent.answer(request)
        if request.path.count("/") >= 3 and ("/pull-requests/" in request.path):
            return text(200, "Simulated Bitbucket: the page of a pull request would be here.\n")
        return text(403, "Forbidden")

    def _headers(self, answer: Answer) -> list[tuple[bytes, bytes]]:
        headers = {
            "content-type": answer.content_type,
            "content-length": str(len(answer.body)),
            "date": formatdate(self.site.clock.seconds(), usegmt=True),
            "server": "Simulated Bitbucket",
            "atl-traceid": uuid4().hex,
            **answer.headers,
        }
        return [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]

    def _note(self, request: Incoming, answer: Answer, started: float) -> None:
        self.site.journal.add(
            Served(
                time=self.site.clock.seconds(),
                method=request.method,
                path=request.path,
                query=request.query,
                status=0 if answer.hang else answer.status,
                token=request.token.label if request.token else "",
                ms=(time.perf_counter() - started) * 1000,
            )
        )


async def _read(scope: Scope, receive: Receive) -> Incoming:
    body = b""
    if scope["method"] not in ("GET", "HEAD"):
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    path = scope["raw_path"].decode("latin-1")
    return Incoming(scope["method"], path, scope["query_string"].decode("latin-1"), headers, body)


async def _send(answer: Answer, headers: list[tuple[bytes, bytes]], send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.cut:
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        return
    await send({"type": "http.response.body", "body": answer.body})


async def _until_gone(receive: Receive) -> None:
    """Hold the line until the client gives up."""
    async with asyncio.timeout(LONGEST_HANG):
        while (await receive())["type"] != "http.disconnect":
            pass
