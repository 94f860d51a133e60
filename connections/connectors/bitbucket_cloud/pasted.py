"""Finds out what a pasted secret is, with at most three requests; two are enough today.

One question, `/user/workspaces`, answers whether Bitbucket takes it, of which kind it is, and which
workspaces it is for. A 403 for a lacking scope tells the first two as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from connections.connectors.base import Entry, Method, Recognised
from connections.connectors.bitbucket_cloud import entrance, kinds
from connections.connectors.bitbucket_cloud.methods import ACCESS_TOKEN, API_TOKEN, APP_PASSWORD
from connections.connectors.bitbucket_cloud.places import place_of, read_places
from connections.connectors.bitbucket_cloud.refusals import credential_type
from connections.transport.errors import InvalidCredentials, InvalidPermissions, ProviderError
from connections.transport.paging import page_of

EMAIL = re.compile(API_TOKEN.settings[0].pattern)
MOST_WORKSPACES = 100
ODD = "This has spaces or other characters that no token has. Paste it again."
_ONE_WORD = re.compile(r"[\x21-\x7e]{1,4096}")
_TOKEN = re.compile(r"AT(?:ATT|CTT|BB)[\w=.+/-]+")
_SCHEME = re.compile(r"^(?:authorization:\s*)?(?:bearer|basic)\s+", re.IGNORECASE)
_ADDRESS = re.compile(r"bitbucket\.org[/:][\w.{}-]+(?:/[\w.{}-]+)?")
_PAIR = re.compile(r"^([^\s:/@]+(?:@[^\s:/@]+)?):(\S+)$")


@dataclass(frozen=True)
class Pasted:
    """A pasted text, taken apart: the secret, and what stood around it."""

    secret: str
    settings: Mapping[str, str]


def take_apart(text: str) -> Pasted:
    """A bare secret, `e-mail:token`, a header, a clone address or a curl command."""
    text = text.strip().strip("\"'").strip()
    found = _TOKEN.search(text)
    pair = _PAIR.match(_SCHEME.sub("", text))
    if found is None:
        if pair is not None and EMAIL.match(pair[1]):
            return Pasted(pair[2], {"username": pair[1]})
        return Pasted(_SCHEME.sub("", text), {})
    told = {}
    before = re.split(r"[\s\"']", text[: found.start()])[-1].removesuffix(":")
    if before and "//" not in before and entrance.shape_of(found[0]) != ACCESS_TOKEN.key:
        told["username"] = before
    place = place_of(address[0]) if (address := _ADDRESS.search(text)) else place_of("")
    told |= {"workspace": place.workspace, "repository": place.repository}
    return Pasted(found[0], {name: value for name, value in told.items() if value})


def identify(
    text: str, known: Mapping[str, str], *, method: str = "", organization: int = 0
) -> Recognised:
    """See Connector.identify."""
    pasted = take_apart(text)
    given = {**pasted.settings, **read_places(known)}
    if not _ONE_WORD.fullmatch(pasted.secret):
        return Recognised(said=ODD, is_refused=True)
    shape = entrance.shape_of(pasted.secret) or method
    if shape == APP_PASSWORD.key:
        return Recognised(
            method=shape, name=APP_PASSWORD.label, said=APP_PASSWORD.needs, is_refused=True
        )
    start = Recognised(secret=pasted.secret, settings=given)
    if shape != API_TOKEN.key:
        found = _as_access_token(start, organization, is_certain=shape == ACCESS_TOKEN.key)
        if found is not None:
            return found
    is_certain = entrance.shape_of(pasted.secret) == API_TOKEN.key
    return _as_api_token(start, organization, is_certain=is_certain)


def _as_access_token(
    start: Recognised, organization: int, *, is_certain: bool
) -> Recognised | None:
    """None where it is none, and may be an API token."""
    start = replace(start, method=ACCESS_TOKEN.key, name="Access token")
    answer = _ask(start, ACCESS_TOKEN, organization)
    if isinstance(answer, InvalidCredentials):
        told = "Bitbucket does not accept this access token (401). It may be mistyped or revoked."
        return replace(start, said=told, is_refused=True) if is_certain else None
    if isinstance(answer, ProviderError):
        return replace(start, said=answer.message, is_refused=True)
    if answer.credential_type.lower() == kinds.OAUTH:
        told = (
            "This is an access token of a Bitbucket authorization, which ends within hours. "
            "Choose Bitbucket authorization instead: it is renewed by itself."
        )
        return replace(start, name="OAuth access token", said=told, is_refused=True)
    kind = kinds.kind_of(answer.credential_type)
    if not kind and answer.workspaces:
        kind = "workspace"
    is_of_part = kind == "repository" and not start.settings.get("repository")
    needed = ["repository"] if is_of_part else ["workspace"]
    name = ACCESS_TOKEN.name_of(kind) if kind else start.name
    return _asking(replace(start, name=name), answer, needed, may_ask="" if kind else "repository")


def _as_api_token(start: Recognised, organization: int, *, is_certain: bool) -> Recognised:
    start = replace(start, method=API_TOKEN.key, name=API_TOKEN.label if is_certain else "Secret")
    email = start.settings.get("username", "")
    if not EMAIL.match(email):
        asks = ("username",)
        return replace(start, asks=asks, said=_needs_email(email, is_certain=is_certain))
    answer = _ask(start, API_TOKEN, organization)
    if isinstance(answer, InvalidCredentials):
        told = _REFUSED if is_certain else _NEITHER
        told = told.format(email=email)
        return replace(start, asks=("username",), said=told, is_refused=True)
    if isinstance(answer, ProviderError):
        return replace(start, said=answer.message, is_refused=True)
    return _asking(replace(start, name=API_TOKEN.label), answer, ["workspace"])


_REFUSED = (
    "Bitbucket does not accept this as an API token of {email} (401). Check the e-mail first: it "
    "is the one of the Atlassian account. Or the token was made without scopes, is mistyped or "
    "revoked."
)
_NEITHER = (
    "Bitbucket accepts this neither as an access token nor as an API token of {email}. Check both: "
    "an API token is made “with scopes”, and goes with the e-mail of its Atlassian account."
)


def _needs_email(given: str, *, is_certain: bool) -> str:
    if given:
        return (
            f"Bitbucket takes an API token with the e-mail of its Atlassian account, and {given} "
            "is none: a user name does not do."
        )
    if is_certain:
        return "Bitbucket takes it together with the e-mail of its Atlassian account."
    return (
        "Bitbucket does not accept this as an access token. If it is an Atlassian API token, "
        "enter the e-mail of its account."
    )


@dataclass(frozen=True)
class _Accepted:
    credential_type: str
    workspaces: tuple[str, ...] = ()


def _ask(start: Recognised, method: Method, organization: int) -> _Accepted | ProviderError:
    entry = Entry(
        method=method.key,
        settings=start.settings,
        secrets={method.secrets[0].name: start.secret},
        organization=organization,
    )
    transport = entrance.transport(entry, patience=settings.VERIFICATION_DEADLINE)
    try:
        answer = transport.get(f"/user/workspaces?pagelen={MOST_WORKSPACES}&sort=slug")
        found = [row.get("workspace") for row in page_of(answer)[0]]
    except InvalidPermissions as error:  # taken, but without the scope for this question
        return _Accepted(error.credential_type)
    except ProviderError as error:
        return error
    finally:
        transport.close()
    slugs = [str(one.get("slug") or "") for one in found if isinstance(one, dict)]
    return _Accepted(credential_type(answer), tuple(filter(None, slugs)))


def _asking(
    start: Recognised, answer: _Accepted, needed: list[str], may_ask: str = ""
) -> Recognised:
    """What is known by now, and what still has to be typed."""
    known = dict(start.settings)
    if len(answer.workspaces) == 1:
        known.setdefault("workspace", answer.workspaces[0])
    asks = [name for name in needed if not known.get(name)]
    if asks and may_ask and not known.get(may_ask):
        asks.append(may_ask)
    said = f"It does not tell of which {asks[0]} it is." if asks else ""
    if len(answer.workspaces) > 1 and "workspace" in asks:
        said = "It sees several workspaces."
    choices = answer.workspaces if "workspace" in asks else ()
    return replace(start, settings=known, asks=tuple(asks), workspaces=choices, said=said)
