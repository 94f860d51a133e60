"""Answers that go wrong when they are told to."""

from __future__ import annotations

import time

import pytest
import requests

from tests.sandbox import Sandbox
from tests.test_sandbox.client import API, Client

PULL_REQUESTS = f"{API}/pullrequests"


def test_html_instead_of_json_so_many_times(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/pullrequests$", kind="html", times=2, after=1)

    kinds = [client.get(PULL_REQUESTS).headers["Content-Type"][:9] for _ in range(4)]

    assert kinds == ["applicati", "text/html", "text/html", "applicati"]


def test_a_fault_hits_its_path_only(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(r"/pullrequests\?.*page=2", status=500)

    assert client.get(PULL_REQUESTS, page=1).status_code == 200
    assert client.get(PULL_REQUESTS, page=2).status_code == 500


@pytest.mark.parametrize(
    ("kind", "status"), [("429", 429), ("429_retry_after", 429), ("555", 555), ("410", 410)]
)
def test_statuses(client: Client, sandbox: Sandbox, kind: str, status: int) -> None:
    sandbox.faults.add(kind=kind)

    answer = client.get(API)

    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is (kind == "429_retry_after")


def test_truncated_json(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="truncated")

    with pytest.raises(requests.JSONDecodeError):
        client.get(API).json()


def test_a_line_that_is_cut(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="cut")

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(API)


def test_a_wrong_content_type(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="wrong_type")

    answer = client.get(API)

    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.json()["slug"] == "api"


def test_an_endless_next(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="endless_next", only_pages=True)

    answer = client.get(PULL_REQUESTS, page=2)

    assert answer.json()["next"] == answer.url


def test_pages_that_take_turns_for_ever(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="cycling_next", only_pages=True)

    pages = [client.get(PULL_REQUESTS).json()]
    for _ in range(3):
        pages.append(client.get(pages[-1]["next"]).json())

    numbers = [[row["id"] for row in page["values"]] for page in pages]
    assert numbers[0] == numbers[2] != numbers[1] == numbers[3]
    assert len({page["next"] for page in pages}) == 4


def test_an_empty_page(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="empty_page")

    assert client.get(PULL_REQUESTS).json()["values"] == []


@pytest.mark.parametrize(("kind", "left"), [("no_values", 0), ("short_page", 2)])
def test_a_page_that_ends_its_listing(
    client: Client, sandbox: Sandbox, kind: str, left: int
) -> None:
    size = client.get(PULL_REQUESTS).json()["size"]
    sandbox.faults.add(kind=kind, only_pages=True)

    page = client.get(PULL_REQUESTS).json()

    assert (len(page["values"]), page["size"]) == (left, size)
    assert "next" not in page


@pytest.mark.parametrize(("kind", "sign"), [("nul", "\x00"), ("surrogate", "\ud800")])
def test_characters_that_databases_refuse(
    client: Client, sandbox: Sandbox, kind: str, sign: str
) -> None:
    sandbox.faults.add(r"/pullrequests$", kind=kind)

    assert client.get(PULL_REQUESTS).json()["values"][0]["title"].startswith(sign)


def test_a_hang_outlasts_the_client(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(kind="hang", times=1)

    with pytest.raises(requests.Timeout):
        client.session.get(sandbox.api_url + API, timeout=0.2)
    assert client.get(API).status_code == 200


def test_latency(client: Client, sandbox: Sandbox) -> None:
    sandbox.latency = 0.05
    started = time.monotonic()

    client.get(API)

    assert time.monotonic() - started >= 0.05


def test_listings_that_break_off(client: Client, sandbox: Sandbox) -> None:
    sandbox.break_after(pages=2)

    statuses = [client.get(PULL_REQUESTS, page=page).status_code for page in (1, 2, 3)]

    assert statuses == [200, 200, 500]
    assert client.get("/workspaces/acme/members").status_code == 200
    assert client.get(API).status_code == 200


def test_clearing_mends_and_unknown_faults_are_refused(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(status=500)
    sandbox.faults.clear()

    assert client.get(API).status_code == 200
    with pytest.raises(ValueError, match="unknown fault"):
        sandbox.faults.add(kind="gremlins")


def test_requests_are_noted(client: Client, sandbox: Sandbox) -> None:
    client.get(PULL_REQUESTS, page=2)

    noted = sandbox.requests[-1]
    assert (noted.method, noted.path, noted.query) == ("GET", f"/2.0{PULL_REQUESTS}", "page=2")
    assert (noted.status, noted.token) == (200, "acme workspace token")
    assert sandbox.count(r"/pullrequests$", status=200) == 1
