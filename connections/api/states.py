"""The methods connections.verify, .disable and .enable."""

from rest_framework.request import Request
from rest_framework.response import Response

from connections.api.answers import (
    ConnectionAnswer,
    VerificationAnswer,
)
from connections.api.lookups import (
    connection_of,
    credential_of,
    expected,
)
from connections.api.rows import (
    connection_row,
    verification_row,
)
from connections.api.schemas import (
    OneRow,
    VerifiedConnection,
)
from connections.models import Credential
from connections.services import connections, verification
from tenants.api import ApiError, ApiView
from tenants.models import Scope


class ConnectionsVerify(ApiView):
    """Verify a credential of a connection now; it answers also when that fails."""

    scope = Scope.CONNECTIONS_WRITE
    takes = VerifiedConnection
    gives = VerificationAnswer
    refuses = ("connection_not_found", "credential_not_found", "connection_not_ready")
    example = {"id": 7}

    def post(self, request: Request) -> Response:
        given = self.read()
        connection = connection_of(self, given["id"])
        if "credential_id" in given:
            credential: Credential | None = credential_of(connection, given["credential_id"])
        else:
            usable = connection.credentials.filter(deleted_at=None, disabled_at=None)
            credential = usable.order_by("id").first()
        if credential is None:
            raise ApiError("connection_not_ready", "This connection has no credential to verify.")
        found = verification.verify_credential(credential=credential, by=self.actor)
        return Response({"verification": verification_row(found)})


class ConnectionsDisable(ApiView):
    """Pause a connection."""

    scope = Scope.CONNECTIONS_WRITE
    takes = OneRow
    takes_if_match = True
    gives = ConnectionAnswer
    refuses = ("connection_not_found",)
    example = {"id": 7}

    def post(self, request: Request) -> Response:
        connection = connection_of(self, self.read()["id"])
        connections.disable_connection(
            connection=connection, by=self.actor, version=expected(request, connection)
        )
        connection.refresh_from_db()
        return Response({"connection": connection_row(connection)})


class ConnectionsEnable(ApiView):
    """Let a paused connection go on."""

    scope = Scope.CONNECTIONS_WRITE
    takes = OneRow
    takes_if_match = True
    gives = ConnectionAnswer
    refuses = ("connection_not_found",)
    example = {"id": 7}

    def post(self, request: Request) -> Response:
        connection = connection_of(self, self.read()["id"])
        connections.enable_connection(
            connection=connection, by=self.actor, version=expected(request, connection)
        )
        connection.refresh_from_db()
        return Response({"connection": connection_row(connection)})
