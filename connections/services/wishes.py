"""A connection as it was asked for, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connections.connectors import connector as connector_of
from connections.connectors.base import Connector
from connections.connectors.schema import InvalidFields
from connections.services.entering import Given, NewCredential, read_given
from connections.services.rows import clean_name
from connections.services.schedules import clean_schedule
from connections.services.selections import clean_selection
from connections.services.tags import TooManyTags, clean_tags


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A connection as it was asked for, checked."""

    kind: Connector
    name: str
    settings: dict[str, str]
    schedule: dict[str, Any]
    selection: dict[str, Any]
    given: Given | None
    tags: dict[str, str]


def read_wish(
    connector: str,
    name: str,
    settings: Mapping[str, Any] | None,
    schedule: Mapping[str, Any] | None,
    selection: Mapping[str, Any] | None,
    credential: NewCredential | None,
    tags: Mapping[str, Any] | None = None,
) -> Wish:
    """Check everything that a new connection was given. Raises InvalidFields with all problems."""
    kind, problems = connector_of(connector), dict[str, str]()
    found: dict[str, Any] = {"kind": kind, "given": None}
    parts: dict[str, Any] = {
        "name": lambda: clean_name(name),
        "settings": lambda: {} if settings is None else kind.clean_settings(settings),
        "schedule": lambda: clean_schedule({"kind": "off"} if schedule is None else schedule, kind),
        "selection": lambda: clean_selection(kind, selection or {}),
        "tags": lambda: clean_tags(tags or {}),
    }
    if credential is not None:
        parts["given"] = lambda: read_given(
            kind,
            method=credential.method,
            settings=credential.settings,
            secrets=credential.secrets,
            below="credential.",
        )
    for part, read in parts.items():
        try:
            found[part] = read()
        except TooManyTags:
            raise
        except InvalidFields as error:
            problems |= error.fields
    if problems:
        raise InvalidFields(problems)
    return Wish(**found)
