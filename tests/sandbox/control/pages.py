"""/control: JSON for programs, forms for people."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.sandbox.control.layout import STYLE
from tests.sandbox.site import Site


def control_app(site: Site) -> Starlette:
    """The control pages of one sandbox."""

    def style(request: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    def state(request: Request) -> Response:
        return JSONResponse({})

    return Starlette(routes=[Route("/style.css", style), Route("/state", state)])
