"""/control: JSON for programs; the same addresses take the forms of the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, fields
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.sandbox.change import ACTIONS, Change
from tests.sandbox.control.layout import STYLE, page
from tests.sandbox.control.page import overview
from tests.sandbox.control.state import describe, plain
from tests.sandbox.generation import Scale
from tests.sandbox.site import Site

Body = dict[str, Any]
NUMBERS = {
    "id",
    "number",
    "status",
    "times",
    "after",
    "leave",
    "comment_id",
    "delay",
    "seconds",
    "limit",
}
NUMBERS |= {"window", "latency", "seed"} | {one.name for one in fields(Scale)}


class Control:
    """What the control addresses do."""

    def __init__(self, site: Site, change: Change) -> None:
        self.site = site
        self.change = change

    def act(self, name: str, body: Body) -> Any:
        """One of the changes by its name."""
        if name not in ACTIONS:
            raise KeyError(f"no change {name}; there are {', '.join(ACTIONS)}")
        return plain(getattr(self.change, name)(**body))

    def token(self, body: Body) -> Body:
        """Make a credential: `kind` workspace, project, repository or api_token and its values."""
        kind = body.pop("kind", "workspace")
        if kind not in ("workspace", "project", "repository", "api_token", "app_password"):
            raise KeyError(f"no kind {kind}")
        secret = getattr(self.site.tokens, kind)(**body)
        return {"secret": secret}

    def consumer(self, body: Body) -> Body:
        """Make an OAuth consumer: key, secret, callback_url, scopes."""
        return asdict(self.site.consumers.add(**body))

    def oauth(self, body: Body) -> Body:
        """How the token endpoint behaves: lifetime, grace, scope_key, rotated_answer."""
        return _assign(
            self.site.consumers, body, ("lifetime", "grace", "scope_key", "rotated_answer")
        )

    def fault(self, body: Body) -> Body:
        """Break something: the fields of a fault."""
        fault = self.site.faults.add(body.pop("path", "."), **body)
        return {"id": fault.id}

    def break_after(self, body: Body) -> Body:
        """Listings answer so many pages each, then 500."""
        after = int(body.get("pages", 2))
        fault = self.site.faults.add(
            r"^/2\.0/", status=500, after=after, per_path=True, only_pages=True
        )
        return {"id": fault.id}

    def clear_faults(self, body: Body) -> Body:
        """Mend everything, or the fault with this id."""
        number = body.get("id")
        keep = [one for one in self.site.faults.active if number and one.id != number]
        self.site.faults.active = keep
        return {"left": len(keep)}

    def quota(self, body: Body) -> Body:
        """Shape the quota: window, limit, plain, retry_after; `clear` forgets what was spent."""
        if body.pop("clear", None):
            self.site.quota.clear()
        return _assign(
            self.site.quota, body, ("window", "limit", "plain", "retry_after", "headers")
        )

    def latency(self, body: Body) -> Body:
        """Seconds before each answer."""
        self.site.latency = float(body["seconds"])
        return {"seconds": self.site.latency}

    def clock(self, body: Body) -> Body:
        """Let time pass at once."""
        self.site.clock.advance(float(body["seconds"]))
        return {"now": self.site.clock.now().isoformat()}

    def reset(self, body: Body) -> Body:
        """A fresh world, of another seed or scale if one is given."""
        seed = body.pop("seed", None)
        scale = Scale(**{**asdict(self.site.scale), **body})
        self.site.reset(scale, seed)
        return {"seed": self.site.seed}

    def clear_requests(self, body: Body) -> Body:
        """Count from nought again."""
        self.site.journal.clear()
        return {}


def _assign(target: object, body: Body, names: tuple[str, ...]) -> Body:
    for name, value in body.items():
        if name not in names:
            raise KeyError(f"no setting {name}; there are {', '.join(names)}")
        if not _is_alike(value, getattr(target, name)):
            raise TypeError(f"{name} cannot be {value!r}")
    for name, value in body.items():
        setattr(target, name, value)
    return {name: getattr(target, name) for name in names}


def _is_alike(new: object, old: object) -> bool:
    """Whether both are numbers, both true or false, or both texts."""
    for kind in (bool, int | float, str):
        if isinstance(old, kind):
            return isinstance(new, kind) and isinstance(new, bool) == isinstance(old, bool)
    return True


def control_app(site: Site, change: Change) -> Starlette:
    """The control pages of one sandbox."""
    control = Control(site, change)
    posts: dict[str, Callable[[Body], Any]] = {
        "/tokens": control.token,
        "/consumers": control.consumer,
        "/oauth": control.oauth,
        "/faults": control.fault,
        "/faults/clear": control.clear_faults,
        "/break_after": control.break_after,
        "/quota": control.quota,
        "/latency": control.latency,
        "/clock": control.clock,
        "/reset": control.reset,
        "/requests/clear": control.clear_requests,
    }
    routes = [Route(path, _posted(site, act), methods=["POST"]) for path, act in posts.items()]
    routes.append(Route("/change/{name}", _changed(control), methods=["POST"]))
    return Starlette(routes=[*routes, *_reading(site)])


def _reading(site: Site) -> list[Route]:
    def home(request: Request) -> Response:
        with site.lock:
            opened = request.query_params.get("open", "")
            return HTMLResponse(page("Control", overview(site, opened)))

    def style(request: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    def state(request: Request) -> Response:
        with site.lock:
            return _json(describe(site))

    def requests(request: Request) -> Response:
        pattern = request.query_params.get("path", "")
        rows = [asdict(one) for one in list(site.journal.served)[-1000:]]
        return _json({"count": site.journal.count(pattern), "requests": rows})

    def deliveries(request: Request) -> Response:
        rows = [asdict(one) for one in list(site.journal.delivered)[-1000:]]
        return _json({"count": len(site.journal.delivered), "deliveries": rows})

    paths = {"/": home, "/style.css": style, "/state": state, "/requests": requests}
    paths["/deliveries"] = deliveries
    return [Route(path, answer) for path, answer in paths.items()]


def _posted(site: Site, act: Callable[[Body], Any]) -> Callable[..., Any]:
    async def answer(request: Request) -> Response:
        return await _run(request, act, site)

    return answer


def _changed(control: Control) -> Callable[..., Any]:
    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        return await _run(request, lambda body: control.act(name, body), control.site)

    return answer


async def _run(request: Request, act: Callable[[Body], Any], site: Site) -> Response:
    raw = await request.body()
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form")
    is_form = is_form and not raw.lstrip().startswith(b"{")  # curl calls JSON a form, too
    try:
        body = _form(raw) if is_form else orjson.loads(raw or b"{}")
        if not isinstance(body, dict):
            raise TypeError("the body must be a JSON object")
        workspace = str(body.get("workspace", ""))
        with site.lock:
            result = act(body)
    except (AttributeError, KeyError, TypeError, ValueError, re.error) as problem:
        return _not_understood(problem) if is_form else _json({"error": str(problem)}, 400)
    if is_form:
        return RedirectResponse(f"/control/{_place(workspace)}", 303)
    return _json(result if isinstance(result, dict) else {"result": result})


def _not_understood(problem: Exception) -> Response:
    told = f"<h1>Not understood</h1><p>{escape(str(problem))}</p><a href='/control/'>Back</a>"
    return HTMLResponse(page("Not understood", told, narrow=True), 400)


def _place(workspace: str) -> str:
    """Where the page goes on after a button: at the workspace that it was about, unfolded."""
    slug = quote(workspace, safe="")
    return f"?open={slug}#{slug}" if slug else ""


def _form(raw: bytes) -> Body:
    """A form's fields: empty ones are left out, numbers become numbers."""
    pairs = parse_qsl(raw.decode("utf-8", "replace"))
    return {key: _number(value) if key in NUMBERS else value for key, value in pairs}


def _number(value: str) -> int | float:
    return float(value) if "." in value else int(value)


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
