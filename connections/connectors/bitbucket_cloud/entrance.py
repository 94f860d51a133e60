"""Into Bitbucket Cloud: what is sent, to which address, and whom the requests are counted for."""

import base64
import shlex
import threading
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings

from connections.connectors.base import Entry
from connections.connectors.bitbucket_cloud.refusals import explain
from connections.transport.http import Transport
from connections.transport.ledger import Ledger
from tenants.secrets import keyed_hash

_BASIC = {"api_token", "app_password"}


def secret_of(entry: Entry) -> str:
    """The one secret of an entry, whatever the method calls it."""
    names = {"oauth2": "access_token", "access_token": "api_token"}
    return entry.secrets.get(names.get(entry.method, "password"), "")


class Authentication:
    """Puts the secret into headers: Bearer, or Basic with the account's e-mail.

    An access token that was refused before its time is renewed once, whoever meets it first.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._lock = threading.Lock()
        self._is_renewed = False

    def __call__(self, headers: MutableMapping[str, str]) -> None:
        headers["Authorization"] = _authorization(self._entry)

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Whether there is another token than the one with which this was refused."""
        with self._lock:
            if refused.get("Authorization") != _authorization(self._entry):
                return True
            if self._entry.renew is None or self._is_renewed:
                return False
            self._is_renewed = True
            token = self._entry.renew(secret_of(self._entry))
            self._entry = replace(self._entry, secrets={"access_token": token})
            return True


def _authorization(entry: Entry) -> str:
    if entry.method not in _BASIC:
        return f"Bearer {secret_of(entry)}"
    pair = f"{entry.settings.get('username', '')}:{secret_of(entry)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def transport(
    entry: Entry, *, ledger: Ledger | None = None, patience: float | None = None
) -> Transport:
    """A transport to the API in the name of this entry; `patience` as in Transport."""
    authentication = Authentication(entry)
    return Transport(
        settings.BITBUCKET_CLOUD_API_URL,
        authenticate=authentication,
        renew=authentication.renew if entry.renew is not None else None,
        subject=quota_subject(entry),
        purpose=entry.purpose,
        whose=entry.organization,
        ledger=ledger,
        explain=explain,
        patience=patience,
    )


def quota_subject(entry: Entry) -> str:
    """What Bitbucket counts by: the token itself, the account, or the OAuth consumer.

    https://support.atlassian.com/bitbucket-cloud/kb/bitbucket-cloud-rate-limit-troubleshooting/

    An account counts only where Bitbucket itself told that the secret is of it: anybody may type
    anybody's e-mail, with a wrong secret, and must not spend that account's window with it.
    """
    host = urlsplit(settings.BITBUCKET_CLOUD_API_URL).netloc
    if entry.method == "oauth2":
        consumer = entry.settings.get("consumer") or settings.BITBUCKET_OAUTH_CLIENT_ID
        return keyed_hash("quota", host, "consumer", consumer)
    if entry.method in _BASIC and entry.acts_as:
        return keyed_hash("quota", host, "account", entry.acts_as)
    return keyed_hash("quota", host, "token", secret_of(entry))


def masked(secret: str) -> str:
    """Enough of a secret to know it by: its kind and its end."""
    if len(secret) < 20:
        return "•••"
    return f"{secret[:5]}•••{secret[-4:]}"


def curl(entry: Entry, path: str) -> str:
    """The same request as a command; it runs once the secret is put in the place of its mask."""
    secret = masked(secret_of(entry))
    if entry.method in _BASIC:
        sent = ["--user", f"{entry.settings.get('username', '')}:{secret}"]
    else:
        sent = ["--header", f"Authorization: Bearer {secret}"]
    return shlex.join(["curl", *sent, f"{settings.BITBUCKET_CLOUD_API_URL}{path}"])


def shape_of(secret: str) -> str:
    """The method that the first letters of a secret speak for; empty where they say nothing.

    ATCTT (access token), ATATT (API token) and ATBB (app password) are seen in the wild, not
    documented: https://github.com/runatlantis/atlantis/issues/5015.
    """
    return next((method for start, method in _SHAPES.items() if secret.startswith(start)), "")


_SHAPES = {"ATBB": "app_password", "ATCTT": "access_token", "ATATT": "api_token"}


def recognise(secrets: Mapping[str, str], given: Mapping[str, str]) -> str:
    """The method that fields and the shape of the secret speak for."""
    shape = shape_of(next(filter(None, secrets.values()), ""))
    if shape:
        return shape
    is_of_account = given.get("username") or secrets.get("password")
    return "api_token" if is_of_account else "access_token"
