"""Whom a secret acts as, what it sees, and what it may do beyond what is needed: in words."""

from connections.connectors.base import Connector, Method
from connections.models import Connection, Credential
from connections.services.selections import copied_streams
from tenants.formats import number


def acting_credential(connector: Connector, row: Credential, connection: Connection) -> str:
    """Whom a stored credential acts as, and how much more it sees than was chosen."""
    chosen = connection.selection.get("repositories") or {}
    ids = chosen.get("ids") or ()
    few = len(ids) if chosen.get("mode") == "chosen" else None
    method = connector.method(row.method)
    return acting(method, row.kind, row.acts_as, row.sees, few)


def needless_of(connector: Connector, row: Credential, connection: Connection) -> tuple[str, ...]:
    """The scopes of a stored credential that nothing needs."""
    return connector.needless_scopes(
        row.scopes, method=row.method, kind=row.kind, streams=copied_streams(connection)
    )


def acting(
    method: Method, kind: str, acts_as: str, sees: int | None, chosen: int | None = None
) -> str:
    """“Atlassian API token: acts as Ada and sees 212 repositories, you chose 14: …”"""
    parts = [f"acts as {acts_as}"] if acts_as else []
    if sees is not None:
        parts.append(f"sees {_repositories(sees)}")
    told = f"{method.name_of(kind)}: {' and '.join(parts)}" if parts else method.name_of(kind)
    if sees is None or chosen is None or chosen >= sees:
        return f"{told}."
    narrower = "project or repository token" if method.kinds else "workspace token"
    return f"{told}, you chose {chosen:,}: a {narrower} would limit this."


def _repositories(count: int) -> str:
    return f"{number(count)} repositor{'y' if count == 1 else 'ies'}"
