"""The token endpoint, and what an authorization reaches."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from connections.connectors.base import Authorizations, Connector, RefreshedTokens
from connections.transport.errors import ConsentEnded, InvalidCredentials, UnexpectedResponse
from tests.connections.conftest import CALLBACK
from tests.connections.consenting import consent_at
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("consumer")]


@pytest.fixture
def dance(cloud: Connector) -> Authorizations:
    found = cloud.authorizations
    assert found is not None
    return found


def tokens_of(dance: Authorizations, persona: str = "ada", *workspaces: str) -> RefreshedTokens:
    address = dance.authorize_url(state="s", redirect_uri=CALLBACK)
    back = consent_at(address, persona, *workspaces)
    return dance.exchange(code=back["code"], redirect_uri=CALLBACK)


def test_the_address_names_consumer_state_and_way_back(dance: Authorizations) -> None:
    query = parse_qs(urlsplit(dance.authorize_url(state="s/1", redirect_uri=CALLBACK)).query)

    assert query["client_id"] == ["tests"]
    assert query["state"] == ["s/1"]
    assert query["redirect_uri"] == [CALLBACK]
    assert "scope" not in query


@pytest.mark.parametrize("key", ["scope", "scopes"])
def test_a_code_becomes_tokens_once(key: str, dance: Authorizations, sandbox: Sandbox) -> None:
    sandbox.consumers.scope_key = key
    back = consent_at(dance.authorize_url(state="s", redirect_uri=CALLBACK), "ada", "acme")

    tokens = dance.exchange(code=back["code"], redirect_uri=CALLBACK)

    assert len(tokens.access_token) > 2500
    assert "pullrequest" in tokens.scopes
    left = tokens.expires_at - now()
    assert timedelta(seconds=7100) < left < timedelta(seconds=7300)
    assert tokens.access_token not in repr(tokens)
    with pytest.raises(ConsentEnded):
        dance.exchange(code=back["code"], redirect_uri=CALLBACK)


def test_administered_workspaces_come_first(dance: Authorizations, sandbox: Sandbox) -> None:
    reach = dance.reach(tokens_of(dance, "ada", "acme", "globex").access_token, organization=0)

    assert reach.account == sandbox.world.persona("ada").uuid
    assert [(one.slug, one.is_administrator) for one in reach.workspaces] == [
        ("acme", True),
        ("globex", False),
    ]


def test_a_refresh_brings_a_new_pair(dance: Authorizations, sandbox: Sandbox) -> None:
    first = tokens_of(dance)

    second = dance.refresh(first.refresh_token)

    assert second.refresh_token != first.refresh_token
    assert (
        dance.reach(second.access_token, organization=0).account
        == sandbox.world.persona("ada").uuid
    )


@pytest.mark.parametrize("answer", ["invalid_grant", "unauthorized_client"])
def test_a_refresh_token_that_was_rotated_away_is_over(
    answer: str, dance: Authorizations, sandbox: Sandbox
) -> None:
    sandbox.consumers.rotated_answer = answer
    first = tokens_of(dance)
    dance.refresh(first.refresh_token)
    sandbox.clock.advance(sandbox.consumers.grace + 1)

    with pytest.raises(ConsentEnded) as caught:
        dance.refresh(first.refresh_token)

    assert first.refresh_token not in str(caught.value.as_dict())


def test_a_wrong_consumer_secret_is_the_operators_to_mend(
    dance: Authorizations, settings: Settings
) -> None:
    settings.BITBUCKET_OAUTH_CLIENT_SECRET = "wrong"

    with pytest.raises(InvalidCredentials, match="BITBUCKET_OAUTH_CLIENT_SECRET") as caught:
        dance.exchange(code="code", redirect_uri=CALLBACK)

    assert not isinstance(caught.value, ConsentEnded)
    assert caught.value.mended_by == "operator"


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": ""}',
        r'{"access_token": "a\r\nX: y", "refresh_token": "b"}',
        '{"access_token": "a", "refresh_token": "一"}',
    ],
)
def test_an_answer_without_tokens_is_no_success(
    body: str, dance: Authorizations, sandbox: Sandbox
) -> None:
    sandbox.faults.add("/access_token", body=body)

    with pytest.raises(UnexpectedResponse):
        tokens_of(dance)


@pytest.mark.parametrize("seconds", ["1e3", "-1", str(10**12), str(10**30)])
def test_a_strange_life_of_a_token_is_not_believed(
    seconds: str, dance: Authorizations, sandbox: Sandbox
) -> None:
    told = f'{{"access_token": "a", "refresh_token": "b", "expires_in": {seconds}}}'
    sandbox.faults.add("/access_token", body=told)

    left = tokens_of(dance).expires_at - now()

    assert timedelta(0) < left <= timedelta(days=1)
