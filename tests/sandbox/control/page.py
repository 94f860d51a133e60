"""The control page: what there is, and buttons that make trouble."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

from tests.sandbox.control.state import describe
from tests.sandbox.site import Site

API_ONLY = {"path": r"^/2\.0/"}
TROUBLES = (
    ("Answer with HTML, 5 times", {"kind": "html", "times": "5"}),
    ("Truncate the JSON, 5 times", {"kind": "truncated", "times": "5"}),
    ("Answer 500, 5 times", {"status": "500", "times": "5"}),
    ("Answer 429, 3 times", {"kind": "429", "times": "3"}),
    ("429 with Retry-After, 3 times", {"kind": "429_retry_after", "times": "3"}),
    ("Hang, once", {"kind": "hang", "times": "1"}),
    ("NUL in a text, once", {"kind": "nul", "times": "1"}),
    ("Endless next, 5 times", {"kind": "endless_next", "times": "5"}),
    ("Pages in turn for ever", {"kind": "cycling_next"}),
    ("Empty pages, 5 times", {"kind": "empty_page", "times": "5"}),
    ("HTML for ever", {"kind": "html"}),
    ("Announce the end of pipelines", {"kind": "announced", "path": "/pipelines"}),
    ("Remove pipelines (410)", {"kind": "410", "path": "/pipelines"}),
)


def overview(site: Site, opened: str = "") -> str:
    """The body of the page; the workspace `opened` is unfolded."""
    state = describe(site)
    return (
        "<h1>Simulated Bitbucket</h1>"
        f"<p>API <code>{escape(state['api_url'])}</code> · "
        f"web <code>{escape(state['web_url'])}</code> · <a href='/control/state'>as JSON</a></p>"
        f"{_facts(state)}{_tokens(state)}{_workspaces(state, opened)}"
        f"<div class='cards'>{_trouble(state)}{_settings(state)}{_happenings(state)}</div>"
        f"{_consumers(state)}{_latest(site)}"
    )


def _facts(state: dict[str, Any]) -> str:
    requests = state["requests"]
    facts = {
        "requests": requests["total"],
        "answered 429": requests["refused_429"],
        "for source code": requests["source"],
        "latency": f"{state['latency'] * 1000:.0f} ms",
        "quota": f"{state['quota']['limit']} in {state['quota']['window']:.0f} s",
    }
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    return f"<h2>Served so far</h2><dl class='facts'>{rows}</dl>"


def form(action: str, label: str, values: dict[str, str], inputs: str = "") -> str:
    """A form with hidden values, further inputs and one button."""
    hidden = "".join(
        f"<input type='hidden' name='{name}' value='{escape(value)}'>"
        for name, value in values.items()
    )
    return (
        f"<form method='post' action='/control{action}'>{hidden}{inputs}"
        f"<button>{escape(label)}</button></form>"
    )


def field(name: str, value: object, label: str, *, size: int = 6) -> str:
    """A small input that has a name for everybody."""
    return (
        f"<input name='{name}' value='{escape(str(value))}' aria-label='{escape(label)}' "
        f"size='{size}'>"
    )


def _tokens(state: dict[str, Any]) -> str:
    rows = "".join(_token(token) for token in state["tokens"])
    if not rows:
        rows = "<tr><td colspan='5'>No credentials yet.</td></tr>"
    make = form("/tokens", "New workspace token", {"kind": "workspace"}, _workspace_choice(state))
    return (
        "<h2>Credentials</h2><div class='scroll'><table class='stack'><thead><tr><th>What</th>"
        "<th class='half'>Secret</th><th>Scopes</th><th class='number'>Left</th><th></th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>{make}"
    )


def _workspace_choice(state: dict[str, Any]) -> str:
    options = "".join(f"<option>{escape(one['slug'])}</option>" for one in state["workspaces"])
    return f"<select name='workspace' aria-label='Workspace'>{options}</select>"


def _token(token: dict[str, Any]) -> str:
    name, label = {"token": token["label"]}, escape(token["label"])
    email = f"<br><small>{escape(token['email'])}</small>" if token["email"] else ""
    gone = " <strong class='bad'>revoked</strong>" if token["revoked"] else ""
    secret = (
        f"<input class='secret' readonly aria-label='Secret of {label}' "
        f"value='{escape(token['secret'])}'>"
        if token["secret"]
        else "<small>kept by Tributary</small>"
    )
    options = "".join(f"<option>{escape(scope)}</option>" for scope in token["scopes"])
    choice = f"<select name='scope' aria-label='Scope of {label}'>{options}</select>"
    switch = "restore" if token["revoked"] else "revoke"
    return (
        f"<tr><td>{label}{gone}{email}</td><td>{secret}</td>"
        f"<td>{form('/change/remove_scope', 'Remove scope', name, choice)}</td>"
        f"<td class='number'>{token['left']}</td>"
        f"<td>{form('/change/' + switch, switch.title(), name)}"
        f"{form('/change/fill_quota', 'Fill the quota', name)}</td></tr>"
    )


def _workspaces(state: dict[str, Any], opened: str) -> str:
    shown = state["workspaces"][:12]
    return "<h2>Workspaces</h2>" + "".join(_workspace(one, one["slug"] == opened) for one in shown)


def _workspace(place: dict[str, Any], is_open: bool) -> str:
    rows = "".join(_repository(place["slug"], repo) for repo in place["repositories"][:50])
    slug = field("slug", place["slug"] + "-eng", "New slug", size=14)
    rename = form("/change/rename_workspace", "Rename to", {"workspace": place["slug"]}, slug)
    unfolded = " open" if is_open else ""
    return (
        f"<details class='card' id='{escape(place['slug'])}'{unfolded}><summary>"
        f"<strong>{escape(place['name'])}</strong> "
        f"<code>{escape(place['slug'])}</code> · {len(place['repositories'])} repositories · "
        f"{place['members']} members</summary>{rename}"
        "<div class='scroll'><table class='stack'><thead><tr>"
        "<th>Repository</th><th class='number'>Pull requests</th><th class='number'>Pipelines</th>"
        f"<th></th></tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _repository(workspace: str, repo: dict[str, Any]) -> str:
    where = {"workspace": workspace, "repository": repo["slug"]}
    refused = (
        f" <strong class='bad'>{repo['refused_with']}</strong>" if repo["refused_with"] else ""
    )
    switch = (
        form("/change/allow_repository", "Allow", where)
        if repo["refused_with"]
        else form("/change/refuse_repository", "Refuse (403)", where)
    )
    return (
        f"<tr><td>{escape(repo['slug'])}{refused}</td>"
        f"<td class='number'>{repo['pull_requests']}</td>"
        f"<td class='number'>{repo['pipelines']}</td><td>{switch}"
        f"{'' if repo['empty'] else form('/change/new_pull_request', 'Open a pull request', where)}"
        f"{form('/change/delete_repository', 'Delete', where)}</td></tr>"
    )


def _trouble(state: dict[str, Any]) -> str:
    buttons = "".join(form("/faults", name, API_ONLY | values) for name, values in TROUBLES)
    active = "".join(
        f"<li>{escape(str(one['kind'] or one['status']))}, hit {one['hits']} times</li>"
        for one in state["faults"]
    )
    mend = form("/faults/clear", "Mend everything", {})
    listed = f"<ul>{active}</ul>{mend}" if active else ""
    return f"<section class='card'><h3>Trouble</h3>{listed}{buttons}</section>"


def _settings(state: dict[str, Any]) -> str:
    quota = state["quota"]
    latency = field("seconds", state["latency"], "Seconds of latency")
    window = field("window", quota["window"], "Window in seconds")
    limit = field("limit", quota["limit"], "Requests per window")
    return (
        "<section class='card'><h3>Settings</h3>"
        f"{form('/latency', 'Set latency (seconds)', {}, latency)}"
        f"{form('/quota', 'Set quota (seconds, requests)', {}, window + limit)}"
        f"{form('/quota', 'Give all quota back', {'clear': 'yes'})}"
        f"{form('/requests/clear', 'Count from nought', {})}"
        f"{form('/reset', 'A fresh world', {})}</section>"
    )


def _happenings(state: dict[str, Any]) -> str:
    first = next((w for w in state["workspaces"] if w["repositories"]), None)
    if first is None:
        return ""
    where = {
        "workspace": first["slug"],
        "repository": first["repositories"][0]["slug"],
        "number": "1",
    }
    name = f"{where['workspace']}/{where['repository']} #1"
    people = field("person", "ben", "Person", size=10) + field(
        "display_name", "Ben Renamed", "New name", size=14
    )
    return (
        f"<section class='card'><h3>Happenings on {escape(name)}</h3>"
        f"{form('/change/comment', 'Comment', where)}{form('/change/approve', 'Approve', where)}"
        f"{form('/change/push', 'Push', where)}{form('/change/merge', 'Merge', where)}"
        f"{form('/change/rename_person', 'Rename', {}, people)}</section>"
    )


def _consumers(state: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['key'])}</code></td><td><code>{escape(one['secret'])}</code></td>"
        f"<td>{escape(' '.join(one['scopes']))}</td><td>{escape(one['callback_url'])}</td></tr>"
        for one in state["consumers"]
    )
    return (
        "<h2>OAuth consumers</h2><div class='scroll'><table><thead><tr><th>Key</th><th>Secret</th>"
        f"<th>Scopes</th><th>Callback</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _latest(site: Site) -> str:
    rows = "".join(
        f"<tr><td>{datetime.fromtimestamp(one.time, UTC):%H:%M:%S}</td><td>{one.method}</td>"
        f"<td><code>{escape(one.path)}</code></td><td class='number'>{one.status}</td>"
        f"<td>{escape(one.token)}</td><td class='number'>{one.ms:.0f} ms</td></tr>"
        for one in list(site.journal.served)[:-31:-1]
    )
    return (
        "<h2>Latest requests</h2><div class='scroll'><table><thead><tr><th>Time (UTC)</th>"
        "<th>Method</th><th>Path</th><th class='number'>Status</th><th>Credential</th>"
        f"<th class='number'>Took</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
