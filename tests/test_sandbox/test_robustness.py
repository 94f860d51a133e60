"""Nonsense is refused, never a failure of the sandbox."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import quote

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.paging import seal
from tests.test_sandbox.client import API, Client

LISTINGS = ["pullrequests", "pullrequests/activity", "pullrequests/2/comments", "commits"]
LISTINGS += ["pullrequests/2/commits", "pipelines", "refs/branches", "deployments"]
NONSENSE = {
    "page": ["0", "-1", "x", "9" * 30, "", seal("x"), seal(-3), seal(), seal({}), "é"],
    "ctx": ["x", "", seal("a", "b", "c"), seal(1), seal(None, None, 0), "é", "="],
    "q": ["\x00", "(" * 50, 'id > "x"', "id = null", 'updated_on > 3 AND title ~ 3', '"', "é = 1"],
    "sort": ["", "-", "--id", "\x00"],
    "fields": ["", ",", "-", "+", "a..b", "-values.values.values", "values.id.x"],
    "state": ["", '") OR (id > 0', "\x00"],
    "include": ["", "x", "\x00", "g" * 40],
}  # fmt: skip


@pytest.mark.parametrize("listing", LISTINGS)
def test_no_parameter_breaks_a_listing(client: Client, listing: str) -> None:
    strange = {}
    for name, values in NONSENSE.items():
        for value in values:
            status = client.get(f"{API}/{listing}", **{name: value}).status_code
            if status not in (200, 400, 404):
                strange[name, value] = status

    assert strange == {}


@pytest.mark.parametrize(
    "path",
    ["/repositories/%00/x", "/repositories/acme/%FF", f"{API}/pullrequests/0",
     f"{API}/pullrequests/99999999999999999999", f"{API}/commit/", "/%7B%7D",
     "/repositories/%7B%7D", "/repositories/%7B%7D/api", f"{API}/pipelines/%7B%7D",
     f"{API}/refs/branches/none"],
)  # fmt: skip
def test_strange_paths_are_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "value", ["Bearer", "Basic", "Basic é", "Basic " + quote("a:b"), "Digest x", "Bearer  ", "x"]
)
def test_strange_authorization_is_401(sandbox: Sandbox, value: str) -> None:
    client = Client(sandbox, None)
    client.session.headers["Authorization"] = value.encode()

    assert client.get(API).status_code == 401


def test_other_methods_are_not_allowed(client: Client) -> None:
    assert client.post(f"{API}/pullrequests", b"\xff").status_code == 405
    assert client.post(f"{API}/commits", b"\xff=\x00").status_code == 200


def test_braces_in_a_path_must_be_encoded(sandbox: Sandbox) -> None:
    secret = sandbox.tokens.workspace("acme")
    uuid = sandbox.world.workspaces["acme"].uuid
    statuses = []
    for name in (uuid, quote(uuid)):
        opened = HTTPConnection(sandbox.host, timeout=5)
        path = f"/2.0/workspaces/{name}"
        opened.request("GET", path, headers={"Authorization": f"Bearer {secret}"})
        statuses.append(opened.getresponse().status)
        opened.close()

    assert statuses == [400, 200]
