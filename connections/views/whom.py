"""Whom a secret acts as, what it sees, and what it may do beyond what is needed: in words."""

from connections.connectors.base import Connector, Method
from connections.models import Connection, Credential
from tenants.formats import number


def acting(method: Method, kind: str, acts_as: str, sees: int | None) -> str:
    """“Atlassian API token: acts as Ada and sees 212 repositories.”"""
    parts = [f"acts as {acts_as}"] if acts_as else []
    if sees is not None:
        parts.append(f"sees {_repositories(sees)}")
    told = f": {' and '.join(parts)}" if parts else ""
    return f"{method.name_of(kind)}{told}."


def acting_credential(connector: Connector, row: Credential, connection: Connection) -> str:
    """“Atlassian API token: acts as Ada. Sees 212 repositories, you chose 14: …”"""
    method = connector.method(row.method)
    whom = whom_of(connector, row, connection)
    return f"{method.name_of(row.kind)}: acts as {whom}" if whom else f"{method.name_of(row.kind)}."


def whom_of(connector: Connector, row: Credential, connection: Connection) -> str:
    """“Ada. Sees 212 repositories, you chose 14: a workspace token would limit this.”"""
    if not row.acts_as:
        return ""
    chosen = _chosen(connection)
    if row.sees is None:
        return f"{row.acts_as}."
    told = f"{row.acts_as}. Sees {_repositories(row.sees)}"
    if chosen is None or chosen >= row.sees:
        return f"{told}."
    is_of_place = bool(connector.method(row.method).kinds)
    narrower = "project or repository token" if is_of_place else "workspace token"
    return f"{told}, you chose {number(chosen)}: a {narrower} would limit this."


def _chosen(connection: Connection) -> int | None:
    """How many repositories were chosen by name; None where that is not the way."""
    chosen = connection.selection.get("repositories") or {}
    return len(chosen.get("ids") or ()) if chosen.get("mode") == "chosen" else None


def _repositories(count: int) -> str:
    return f"{number(count)} repositor{'y' if count == 1 else 'ies'}"
