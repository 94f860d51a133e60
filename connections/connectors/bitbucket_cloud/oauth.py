"""Bitbucket Cloud's OAuth 2.0: https://developer.atlassian.com/cloud/bitbucket/oauth-2/.

Scopes stand on the consumer and are not asked for. Refresh tokens rotate: each answer brings a
new one, and the old one dies some minutes later.
"""

import base64
import re
from collections.abc import MutableMapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar, Self, TypeGuard
from urllib.parse import urlencode

from django.conf import settings

from connections.connectors.base import (
    Authorizations,
    Consumer,
    Entry,
    Reach,
    RefreshedTokens,
    RemoteWorkspace,
)
from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient, one
from connections.connectors.bitbucket_cloud.refusals import explain
from connections.transport import answers
from connections.transport.answers import Answer, words
from connections.transport.errors import (
    ConsentEnded,
    Evidence,
    InvalidCredentials,
    ProviderError,
    UnexpectedResponse,
)
from connections.transport.http import Transport
from connections.transport.ledger import Purpose
from connections.transport.paging import page_of

DEFAULT_LIFE = 3600  # seconds, where the answer does not say; observed are 7200
LONGEST_LIFE = 86_400  # seconds; a token that lives longer is merely refreshed too early
OURS = (
    "Bitbucket refuses this installation's OAuth consumer. An operator must check "
    "BITBUCKET_OAUTH_CLIENT_ID and BITBUCKET_OAUTH_CLIENT_SECRET."
)
OWN = (
    "Bitbucket refuses the organization's own OAuth consumer. An admin can check its key and "
    "secret under Settings."
)
NO_CODE = "none"  # with which a consumer is proved


class BitbucketAuthorizations(Authorizations):
    """Through the consumer of `BITBUCKET_OAUTH_CLIENT_ID`, or that of an organization.

    Bitbucket has no endpoint that ends an authorization: its owner withdraws it on a page,
    https://support.atlassian.com/bitbucket-cloud/kb/revoke-app-authorization-from-a-bitbucket-account/
    """

    callback: ClassVar[str] = "bitbucket"
    set_by: ClassVar[str] = "BITBUCKET_OAUTH_CLIENT_ID and BITBUCKET_OAUTH_CLIENT_SECRET"
    permissions: ClassVar[str] = (
        "Account: Read · Repositories: Read · Pull requests: Read · Pipelines: Read"
    )
    made_at = "https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/"

    def __init__(self, consumer: Consumer | None = None) -> None:
        self._own = consumer

    @property
    def withdrawn_at(self) -> str:  # type: ignore[override]
        return f"{settings.BITBUCKET_CLOUD_WEB_URL}/account/settings/app-authorizations/"

    @property
    def consumer(self) -> str:
        return self._consumer.client_id

    @property
    def _consumer(self) -> Consumer:
        return self._own or Consumer(
            client_id=str(settings.BITBUCKET_OAUTH_CLIENT_ID),
            client_secret=str(settings.BITBUCKET_OAUTH_CLIENT_SECRET),
        )

    def by(self, consumer: Consumer) -> Self:
        return type(self)(consumer)

    def prove(self, *, redirect_uri: str) -> None:
        try:
            self.exchange(code=NO_CODE, redirect_uri=redirect_uri)
        except ConsentEnded:
            return  # it knows the consumer, and not the code, which there is none of

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        query = urlencode(
            {
                "client_id": self.consumer,
                "response_type": "code",
                "state": state,
                "redirect_uri": redirect_uri,
            }
        )
        return f"{settings.BITBUCKET_CLOUD_WEB_URL}/site/oauth2/authorize?{query}"

    def exchange(self, *, code: str, redirect_uri: str) -> RefreshedTokens:
        return self._tokens(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        )

    def refresh(self, refresh_token: str) -> RefreshedTokens:
        return self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def reach(self, access_token: str, *, organization: int) -> Reach:
        entry = Entry(
            method="oauth2",
            settings={"consumer": self.consumer},
            secrets={"access_token": access_token},
            purpose=Purpose.CONSENT,
            organization=organization,
        )
        with BitbucketCloudClient(entry) as client:
            account = one(client.user())
            found = [row for page in client.workspaces() for row in page_of(page)[0]]
        return Reach(
            account=str(account.get("uuid", ""))[:100],
            account_name=str(account.get("display_name") or account.get("nickname") or "")[:200],
            workspaces=_workspaces(found),
        )

    def _tokens(self, form: dict[str, str]) -> RefreshedTokens:
        transport = Transport(
            settings.BITBUCKET_CLOUD_WEB_URL,
            authenticate=self._authenticate,
            subject="",  # the token endpoint is not counted with the API's requests
            purpose=Purpose.CONSENT,
            explain=partial(
                _refused,
                is_refresh=form["grant_type"] == "refresh_token",
                is_own=self._own is not None,
            ),
        )
        try:
            return _read(transport.post_form("/site/oauth2/access_token", form))
        finally:
            transport.close()

    def _authenticate(self, headers: MutableMapping[str, str]) -> None:
        pair = f"{self._consumer.client_id}:{self._consumer.client_secret}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"


def _read(answer: Answer) -> RefreshedTokens:
    body = one(answer)
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not _is_token(access) or not _is_token(refresh):
        raise UnexpectedResponse("Bitbucket's token endpoint answered without tokens.")
    life = body.get("expires_in")
    seconds = min(life, LONGEST_LIFE) if isinstance(life, int) and life > 0 else DEFAULT_LIFE
    granted = body.get("scope") or body.get("scopes") or ""  # CHANGE-3052 renames it
    return RefreshedTokens(
        access_token=access,
        refresh_token=refresh,
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
        scopes=words(granted) if isinstance(granted, str) else (),
    )


def _is_token(value: object) -> TypeGuard[str]:
    """Whether this can travel in a header; what cannot would end up in an error's message."""
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None


def _refused(answer: Answer, *, is_refresh: bool, is_own: bool) -> ProviderError:
    """The token endpoint's errors: {"error": "invalid_grant", "error_description": …}.

    A refresh token that was rotated away may be answered `unauthorized_client` as well.
    """
    code = _code(answer)
    if code == "invalid_grant" or (is_refresh and code == "unauthorized_client"):
        return ConsentEnded(
            "Bitbucket does not accept this authorization any more. It was revoked or ran out.",
            evidence=_without_body(answer),
        )
    if answer.status == 401:
        refused = InvalidCredentials(OWN if is_own else OURS, evidence=_without_body(answer))
        refused.mended_by = "admin" if is_own else "operator"
        return refused
    return explain(replace(answer, body=b""))


def _code(answer: Answer) -> str:
    try:
        body = answers.decode(answer.body, answer.headers.get("Content-Type", ""))
    except ValueError:
        return ""
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def _without_body(answer: Answer) -> Evidence:
    """What was asked and the status; nothing out of an answer that is about secrets."""
    return replace(answer.evidence(), excerpt="")


def _workspaces(rows: list[dict[str, object]]) -> tuple[RemoteWorkspace, ...]:
    found = []
    for row in rows:
        place = row.get("workspace")
        if isinstance(place, dict) and place.get("uuid") and place.get("slug"):
            found.append(
                RemoteWorkspace(
                    id=str(place["uuid"]),
                    slug=str(place["slug"]),
                    is_administrator=row.get("administrator") is True,
                )
            )
    return tuple(sorted(found, key=lambda one: (not one.is_administrator, one.slug)))
