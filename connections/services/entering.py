"""What a form or an API call gave to enter a connector with, checked and named as it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connections.connectors.base import Connector, Entry, Method, UnknownMethod
from connections.connectors.schema import InvalidFields, clean
from connections.services.errors import UnknownMethodGiven
from connections.transport.ledger import Purpose


@dataclass(frozen=True, kw_only=True)
class NewCredential:
    """A credential that somebody gives. Its repr shows no secret."""

    secrets: Mapping[str, str] = field(repr=False)
    method: str | None = None
    label: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    expiration_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """The same, checked."""

    method: Method
    settings: dict[str, str]
    secrets: dict[str, str] = field(repr=False)

    def entry(self, connected: Mapping[str, str], organization: int) -> Entry:
        """The entry to a connection with these settings, in the name of this organization."""
        return Entry(
            method=self.method.key,
            settings={**connected, **self.settings},
            secrets=self.secrets,
            purpose=Purpose.VERIFY,
            organization=organization,
        )


def read_given(
    connector: Connector,
    *,
    method: str | None,
    settings: Mapping[str, Any],
    secrets: Mapping[str, Any],
    below: str = "",
) -> Given:
    """Check what was given against what the method asks for.

    Without `method` it is recognised from the fields and the shape of the secret. `below` is put
    before the names in InvalidFields, such as `credential.`. Raises UnknownMethodGiven too.
    """
    names = {"api_token", "password"} & {name for name, value in secrets.items() if value}
    if len(names) == 2:
        told = "Give either api_token or password."
        raise InvalidFields({f"{below}secrets.password": told})
    if not any(secrets.values()):
        raise InvalidFields({f"{below}secrets": "A secret is required."})
    chosen = _method(connector, method or connector.recognise(secrets, settings))
    problems: dict[str, str] = {}
    cleaned: list[dict[str, str]] = []
    for part, fields, values in (
        ("settings", chosen.settings, settings),
        ("secrets", chosen.secrets, secrets),
    ):
        try:
            cleaned.append(clean(fields, values, below=f"{below}{part}"))
        except InvalidFields as error:
            problems |= error.fields
    if problems:
        raise InvalidFields(problems)
    kept = connector.clean_entry(cleaned[0])
    return Given(method=chosen, settings=kept, secrets=cleaned[1])


def _method(connector: Connector, key: str) -> Method:
    try:
        method = connector.method(key)
    except UnknownMethod as error:
        raise UnknownMethodGiven(str(error)) from None
    if method.by_consent:
        raise UnknownMethodGiven(
            f"{method.label} is made on Bitbucket's consent page, in the browser."
        )
    return method
