"""The rolling window."""

from __future__ import annotations

import pytest

from tests.sandbox import Sandbox
from tests.test_sandbox.client import API, Client


@pytest.fixture
def three(sandbox: Sandbox) -> Sandbox:
    """Three requests a minute."""
    sandbox.quota.limit, sandbox.quota.window = 3, 60.0
    return sandbox


def statuses(client: Client, count: int) -> list[int]:
    return [client.get(API).status_code for _ in range(count)]


def test_the_fourth_of_three_is_refused_in_plain_text(three: Sandbox, client: Client) -> None:
    assert statuses(client, 3) == [200] * 3

    refused = client.get(API)

    assert refused.status_code == 429
    assert refused.text == "Rate limit for this resource has been exceeded"
    assert refused.headers["Content-Type"].startswith("text/plain")
    assert "Retry-After" not in refused.headers
    assert (three.quota.refused, three.count(status=429)) == (1, 1)


def test_the_window_rolls(three: Sandbox, client: Client) -> None:
    statuses(client, 2)
    three.clock.advance(40)
    assert statuses(client, 2) == [200, 429]

    three.clock.advance(21)

    assert statuses(client, 3) == [200, 200, 429]


def test_refused_requests_cost_nothing(three: Sandbox, client: Client) -> None:
    statuses(client, 9)

    three.clock.advance(61)

    assert statuses(client, 3) == [200] * 3


def test_retry_after_and_json_when_switched_on(three: Sandbox, client: Client) -> None:
    three.quota.retry_after, three.quota.plain = True, False
    statuses(client, 3)
    three.clock.advance(20)

    refused = client.get(API)

    assert 39 <= int(refused.headers["Retry-After"]) <= 40
    assert refused.json()["type"] == "error"


def test_errors_of_the_client_count_too(three: Sandbox, client: Client) -> None:
    for _ in range(3):
        client.get("/repositories/acme/none")

    assert statuses(client, 1) == [429]


def test_each_access_token_has_its_own(three: Sandbox, client: Client) -> None:
    statuses(client, 3)

    other = Client(three, three.tokens.workspace("acme"))

    assert statuses(other, 1) == [200]


def test_api_tokens_of_one_person_share(three: Sandbox) -> None:
    first, second = (
        Client(three, three.tokens.api_token("ada@example.com"), "ada@example.com")
        for _ in range(2)
    )
    assert statuses(first, 3) == [200] * 3

    answer = second.get(API)

    assert answer.status_code == 429
    assert "X-RateLimit-Limit" not in answer.headers


def test_a_quota_can_be_filled_by_secret(sandbox: Sandbox) -> None:
    secret = sandbox.tokens.workspace("acme")

    sandbox.quota.fill(secret, leave=1)

    assert statuses(Client(sandbox, secret), 2) == [200, 429]


def test_near_the_limit_the_header_says_so(sandbox: Sandbox, client: Client) -> None:
    sandbox.change.fill_quota("acme workspace token", leave=5)

    assert client.get(API).headers["X-RateLimit-NearLimit"] == "true"
    assert statuses(client, 5) == [200] * 4 + [429]
