"""Finds what a method speaks of, within the key's organization, or says that it is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework.request import Request

from connections import connectors
from connections.connectors.base import Connector, UnknownConnector
from connections.models import Connection, Credential
from connections.services.errors import UnknownMethodGiven
from tenants.api import ApiError, ApiView, InvalidArguments, check_if_match

# What a secret that is verified before it is stored may be refused for.
PROOF = (
    "invalid_credentials",
    "invalid_permissions",
    "no_resources",
    "workspace_not_found",
    "unsupported_version",
    "base_url_mismatch",
    "blocked_address",
    "unexpected_response",
    "unreachable",
    "tls_error",
    "provider_rate_limited",
)


def connector_of(key: str) -> Connector:
    """The connector of this type. Raises unknown_connector_type."""
    try:
        return connectors.connector(key)
    except UnknownConnector:
        known = ", ".join(connectors.connectors())
        raise ApiError(
            "unknown_connector_type", f"There is no connector of this type. There are: {known}."
        ) from None


def connection_of(view: ApiView, pk: int) -> Connection:
    """A connection that is not deleted. Raises connection_not_found."""
    rows = Connection.objects.for_organization(view.organization).filter(deleted_at=None)
    found: Connection | None = rows.filter(pk=pk).select_related("organization").first()
    if found is None:
        raise ApiError("connection_not_found", "There is no connection with this id.")
    return found


def credential_of(connection: Connection, pk: int, *, with_deleted: bool = False) -> Credential:
    """A credential of this connection. Raises credential_not_found."""
    rows = connection.credentials.all()
    if not with_deleted:
        rows = rows.filter(deleted_at=None)
    found: Credential | None = rows.filter(pk=pk).first()
    if found is None:
        raise ApiError(
            "credential_not_found", "There is no credential with this id on this connection."
        )
    return found


def expected(request: Request, row: Any) -> int | None:
    """The version that `If-Match` asks for, to be checked in the UPDATE; None without one."""
    check_if_match(request, row)
    given = request.headers.get("If-Match", "*")
    return None if given.strip() == "*" else int(row.version)


@contextmanager
def methods_are_arguments(below: str = "") -> Iterator[None]:
    """An unknown authentication method is a wrong argument, not a wrong address."""
    try:
        yield
    except UnknownMethodGiven as error:
        raise InvalidArguments({f"{below}method": error.message}) from None
