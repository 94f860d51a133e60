"""A secret that somebody pasted without saying what it is."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from django.db import transaction

from connections.connectors.base import Connector, Method, Recognised
from connections.connectors.findings import Finding
from connections.connectors.schema import REQUIRED, InvalidFields
from connections.models import Draft
from connections.services.drafts import keep_unfinished
from connections.services.entering import NewCredential, read_given
from connections.services.errors import UnknownMethodGiven, VerificationFailed
from connections.services.trail import TriedFor, note_tried, organization_of
from connections.services.verification import count_verification
from connections.transport.ledger import tallied
from tenants.actor import Actor


def identify(
    kind: Connector,
    text: str,
    known: Mapping[str, str],
    *,
    tried_for: TriedFor,
    by: Actor,
    method: str = "",
) -> Recognised:
    """Find out what it is. Makes requests: never call it in a transaction.

    Raises VerificationsTooMany.
    """
    organization = organization_of(tried_for)
    count_verification(organization)
    with tallied() as tally:
        told = kind.identify(text, known, method=method, organization=organization)
    note_tried(
        tried_for,
        by,
        method=told.method,
        requests=tally.requests,
        reason="recognition",
        outcome="refused" if told.is_refused else "",
    )
    return told


@transaction.atomic
def keep_pasted(*, draft: Draft, recognised: Recognised) -> Draft:
    """Keep the secret while what is missing beside it is asked for."""
    row = asdict(recognised)
    row.pop("secret")
    return keep_unfinished(
        draft=draft,
        method=recognised.method,
        settings=recognised.settings,
        secret=recognised.secret,
        found={"recognised": row},
    )


def recognised_of(draft: Draft) -> Recognised | None:
    """What the secret of a draft turned out to be, while something is still asked beside it."""
    row = draft.found.get("recognised")
    if not row or not draft.secrets:
        return None
    row = {**row, "asks": tuple(row["asks"]), "workspaces": tuple(row["workspaces"])}
    return Recognised(**row, secret=next(iter(draft.secrets.values())))


def complete(
    kind: Connector,
    given: NewCredential,
    settings: Mapping[str, str],
    *,
    tried_for: TriedFor,
    by: Actor,
) -> tuple[NewCredential, dict[str, str]]:
    """What a script left out, told by the secret: its method, where its look does not tell it, and
    what it connects. Returns both completed as far as possible.

    Makes requests where something is left out. Raises VerificationFailed, VerificationsTooMany.
    """
    secret = next((value for value in given.secrets.values() if value), "")
    found = kind.read_places({**given.settings, **settings})
    lacks_place = any(field.required and not found.get(field.name) for field in kind.settings)
    is_clear = bool(given.method or kind.shape_of(secret)) or len(_takers(kind, given)) < 2
    if (is_clear and not lacks_place) or not _fits(kind, given):
        return given, _places(kind, found) | dict(settings)
    method = given.method or ""
    told = identify(kind, secret, found, tried_for=tried_for, by=by, method=method)
    if told.is_refused and told.method and not is_clear:
        raise VerificationFailed(
            Finding(outcome="invalid_credentials", message=told.said, checks=(), mended_by="admin")
        )
    given = replace(given, method=method or told.method or None)
    return given, _places(kind, told.settings) | dict(settings)


def complete_places(
    kind: Connector,
    method: Method,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    *,
    tried_for: TriedFor,
    by: Actor,
) -> dict[str, str]:
    """What a person typed, with what the secret tells of what it connects where that is missing.

    Makes requests then. Raises VerificationsTooMany, and InvalidFields where it does not tell.
    """
    typed = kind.read_places(settings)
    missing = [one.name for one in kind.settings if one.required and not typed.get(one.name)]
    secret = next(iter(secrets.values()), "")
    if not missing or not secret:
        return typed
    told = identify(kind, secret, typed, tried_for=tried_for, by=by, method=method.key)
    untold = [name for name in missing if not told.settings.get(name)]
    if untold:
        raise InvalidFields({f"settings.{name}": told.said or REQUIRED for name in untold})
    return {**told.settings, **typed}


def _places(kind: Connector, known: Mapping[str, str]) -> dict[str, str]:
    own = {field.name for field in kind.settings}
    return {name: value for name, value in known.items() if name in own}


def _takers(kind: Connector, given: NewCredential) -> list[Method]:
    """The methods whose secrets go by the names that were given."""
    return [
        method
        for method in kind.methods
        if not (method.deprecated or method.by_consent)
        and set(given.secrets) <= {n for one in method.secrets for n in (one.name, *one.aliases)}
    ]


def _fits(kind: Connector, given: NewCredential) -> bool:
    """Whether it is worth a request. What does not fit is told by whoever reads it next."""
    try:
        read_given(kind, method=given.method, settings=given.settings, secrets=given.secrets)
    except (InvalidFields, UnknownMethodGiven):
        return False
    return True
