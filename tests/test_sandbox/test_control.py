"""The control addresses, and the sandbox as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox import Sandbox
from tests.sandbox.change import ACTIONS
from tests.test_sandbox.client import API, Client

ROOT = Path(__file__).parents[2]
LABEL = "acme workspace token"


def post(sandbox: Sandbox, address: str, **body: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/control{address}", json=body, timeout=5)


def state(url: str) -> dict[str, Any]:
    return requests.get(f"{url}/control/state", timeout=5).json()  # type: ignore[no-any-return]


def test_the_state_names_what_there_is(client: Client, sandbox: Sandbox) -> None:
    client.get(API)

    found = state(sandbox.url)

    assert [one["slug"] for one in found["workspaces"]] == ["acme", "globex", "empty"]
    assert [one["label"] for one in found["tokens"]] == [LABEL]
    assert {one["role"] for one in found["consumers"]} == {"connect", "sign_in"}
    assert (found["requests"]["total"], found["tokens"][0]["requests"]) == (1, 1)
    assert found["api_url"] == sandbox.api_url


def test_the_command_of_the_help_works(client: Client, sandbox: Sandbox) -> None:
    before = len(client.values(f"{API}/pullrequests/1/comments"))
    body = '{"workspace": "acme", "repository": "api", "number": 1}'
    address = f"{sandbox.url}/control/change/comment"

    subprocess.run(["curl", "--fail", "--silent", "-d", body, address], check=True, timeout=10)

    assert len(client.values(f"{API}/pullrequests/1/comments")) == before + 1


def test_a_body_that_is_no_object_is_not_understood(sandbox: Sandbox) -> None:
    for body in ([], "x", 5):
        answer = requests.post(f"{sandbox.url}/control/break_after", json=body, timeout=5)
        assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_every_change_can_be_made_over_http(client: Client, sandbox: Sandbox) -> None:
    where = {"workspace": "acme", "repository": "api", "number": 20}

    assert post(sandbox, "/change/comment", **where, raw="over HTTP").status_code == 200
    assert post(sandbox, "/change/remove_scope", token=LABEL, scope="project").status_code == 200

    newest = client.get(f"{API}/pullrequests/20/activity").json()["values"][0]
    assert newest["comment"]["content"]["raw"] == "over HTTP"
    assert "project" not in sandbox.tokens.find(LABEL).scopes
    assert {"merge", "rename_workspace", "refuse_repository", "revoke"} <= set(ACTIONS)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/change/explode", {}),
        ("/change/_now", {}),
        ("/change/comment", {"workspace": "acme"}),
        ("/change/comment", {"workspace": "acme", "repository": "none", "number": 1}),
        ("/faults", {"kind": "gremlins"}),
        ("/faults", {"path": "("}),
        ("/faults", {"path": 5}),
        ("/faults", {"kind": "html", "times": "5"}),
        ("/faults", {"status": "500"}),
        ("/quota", {"size": 3}),
        ("/quota", {"limit": "x"}),
        ("/quota", {"plain": 1}),
        ("/tokens", {"kind": "find"}),
        ("/latency", {}),
    ],
)
def test_what_is_not_understood_is_400(sandbox: Sandbox, path: str, body: dict[str, Any]) -> None:
    answer = post(sandbox, path, **body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_settings_take_effect(client: Client, sandbox: Sandbox) -> None:
    post(sandbox, "/quota", limit=2, window=60, retry_after=True)
    post(sandbox, "/oauth", lifetime=5, scope_key="scope")
    post(sandbox, "/faults", path="/web", status=503, times=1)
    secret = post(sandbox, "/tokens", kind="workspace", workspace="acme").json()["secret"]

    other = Client(sandbox, secret)
    statuses = [other.get("/repositories/acme/web").status_code for _ in range(3)]

    assert statuses == [503, 200, 429]
    post(sandbox, "/clock", seconds=61)
    assert other.get(API).status_code == 200
    assert (sandbox.consumers.lifetime, sandbox.consumers.scope_key) == (5, "scope")


def test_breaking_mending_counting_and_resetting(client: Client, sandbox: Sandbox) -> None:
    post(sandbox, "/break_after", pages=0)
    assert client.get(f"{API}/pullrequests").status_code == 500
    post(sandbox, "/faults/clear")
    assert client.get(f"{API}/pullrequests").status_code == 200

    counted = requests.get(f"{sandbox.url}/control/requests?path=pullrequests", timeout=5).json()
    assert counted["count"] == 2
    post(sandbox, "/reset", repositories=1, pull_requests=3)
    assert len(sandbox.world.workspaces["acme"].repositories) == 1
    assert sandbox.count() == 0


class Forms(HTMLParser):
    """The forms of a page, with the values that a person who changes nothing would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.choice: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.found.append((values["action"], {}))
        if tag == "input" and "name" in values:
            self.found[-1][1][values["name"]] = values["value"]
        if tag == "select":
            self.choice = values["name"]

    def handle_data(self, data: str) -> None:
        if self.choice:
            self.found[-1][1][self.choice] = data
            self.choice = None


def test_the_page_shows_secrets_and_loads_nothing_foreign(client: Client, sandbox: Sandbox) -> None:
    page = requests.get(f"{sandbox.url}/control/", timeout=5).text

    assert "Simulated Bitbucket" in page
    assert sandbox.tokens.find(LABEL).secret in page
    assert "<script" not in page
    assert "src=" not in page
    assert requests.get(f"{sandbox.url}/control/style.css", timeout=5).status_code == 200


def test_every_form_of_the_page_is_taken(client: Client, sandbox: Sandbox) -> None:
    forms = Forms(requests.get(f"{sandbox.url}/control/", timeout=5).text).found
    last = ("delete_repository", "rename_workspace", "reset")
    forms.sort(key=lambda form: next((i for i, n in enumerate(last, 1) if n in form[0]), 0))

    answers = {}
    for action, values in forms:
        address = sandbox.url + action
        taken = requests.post(
            address,
            values,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            timeout=5,
            allow_redirects=False,
        )
        answers[action] = (taken.status_code, taken.text)

    assert len(answers) > 15
    assert {name: one for name, one in answers.items() if one[0] != 303} == {}


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.sandbox", "--demo", "--pull-requests", "3"]
    started = subprocess.Popen(
        [*command, "--pipelines", "2", "--quota-window", "60", "--quota-limit", "5"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield started
    started.kill()
    started.wait(5)
    if started.stdout:
        started.stdout.close()


def test_the_demo_process(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    addresses = json.loads(process.stdout.readline())

    found = state(addresses["url"])

    assert addresses["control_url"] == addresses["url"] + "/control/"
    assert {one["label"] for one in found["tokens"]} >= {
        "acme: everything",
        "acme: lacks the scope pipeline",
        "ada@example.com: API token",
    }
    assert (found["quota"]["window"], found["quota"]["limit"]) == (60, 5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    starter = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([{sys.executable!r}, '-m', 'tests.sandbox', '--pull-requests',"
        " '1', '--pipelines', '1', '--die-with-parent'], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", starter], cwd=ROOT, capture_output=True, text=True, timeout=20
    )

    child = int(parent.stdout)

    deadline = time.monotonic() + 5
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text()


def test_help_tells_how_to_use_it() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.sandbox", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert "--quota-window" in told.stdout
    assert "/control/change/NAME" in told.stdout


def test_no_workspace_is_renamed_onto_another(sandbox: Sandbox) -> None:
    answer = post(sandbox, "/change/rename_workspace", workspace="acme", slug="globex")

    assert answer.status_code == 400
    assert [one["slug"] for one in state(sandbox.url)["workspaces"]] == ["acme", "globex", "empty"]


def test_a_button_leads_back_to_its_workspace(sandbox: Sandbox) -> None:
    form = {"workspace": "acme", "repository": "api"}

    answer = requests.post(f"{sandbox.url}/control/change/refuse_repository", data=form, timeout=5)

    assert "<details class='card' id='acme' open>" in answer.text
    assert "<details class='card' id='globex'>" in answer.text


def test_bad_input_in_a_form_leads_back_to_the_page(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/control/latency", data={"seconds": "abc"}, timeout=5)

    assert answer.status_code == 400
    assert "<a href='/control/'>Back</a>" in answer.text
