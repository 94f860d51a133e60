"""The methods credentials.* of one connection."""

from typing import Any, cast

from django.db.models import F
from rest_framework.request import Request
from rest_framework.response import Response

from connections.api.answers import (
    ChangedCredentialAnswer,
    CredentialAnswer,
    CredentialInfoAnswer,
    CredentialsAnswer,
    ProvedCredentialAnswer,
    VerificationAnswer,
)
from connections.api.connections import WITHOUT_LIMIT
from connections.api.lookups import (
    PROOF,
    connection_of,
    credential_of,
    expected,
    methods_are_arguments,
)
from connections.api.rows import (
    SHOWN_OF_CREDENTIAL,
    comparison_row,
    credential_row,
    finding_row,
    standing_rows,
    verification_row,
)
from connections.api.schemas import ChangedCredential, NewCredential, OneRow
from connections.models import Connection, Credential
from connections.services import changing, credentials, verification
from connections.services.changing import Stored
from tenants import access
from tenants.api import (
    ApiView,
    PageSerializer,
    PreparedList,
    list_answer,
    paginate_prepared,
    timestamp,
)
from tenants.models import Organization, Scope
from tenants.prepared import Given

OF_CONNECTION = PreparedList(
    lambda: (
        Credential.objects.filter(
            organization=Given("organization", Organization, "id"),
            connection=Given("connection", Connection, "id"),
            connection__deleted_at=None,
            deleted_at=None,
        )
        .annotate(connector=F("connection__connector"))
        .only(*SHOWN_OF_CREDENTIAL)
    )
)


class CredentialsCreate(ApiView):
    """Verify a secret, then store it. When it fails, nothing is stored."""

    scope = Scope.CREDENTIALS_WRITE
    takes = NewCredential
    takes_dry_run = True
    gives = ProvedCredentialAnswer
    status = 201
    refuses = ("connection_not_found", "multiple_credentials_not_supported", *PROOF)
    example = {
        "label": "CI token",
        "secrets": {"api_token": "ATCTT3xFfGN0-example"},
        "expiration_date": "2027-01-31",
    }

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        given = self.read()
        with methods_are_arguments():
            stored = credentials.create_credential(
                connection=connection, **given, by=self.actor, dry_run=self.is_dry_run
            )
        return Response(_answer(stored), status=200 if self.is_dry_run else 201)


class CredentialsUpdate(ApiView):
    """Change a credential. Settings and secrets are verified again before they are stored.

    New secrets are compared with the old ones: what they see less and more.
    """

    scope = Scope.CREDENTIALS_WRITE
    takes = ChangedCredential
    takes_dry_run = takes_if_match = True
    gives = ChangedCredentialAnswer
    refuses = ("connection_not_found", "credential_not_found", *PROOF)
    example = {"id": 12, "secrets": {"api_token": "ATCTT3xFfGN0-example"}, "expiration_date": None}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        given = self.read()
        credential = credential_of(connection, given.pop("id"))
        stored = changing.update_credential(
            credential=credential,
            **given,
            by=self.actor,
            version=expected(request, credential),
            dry_run=self.is_dry_run,
        )
        return Response(_answer(stored))


class CredentialsInfo(ApiView):
    """One credential; also one that was deleted."""

    scope = Scope.CREDENTIALS_READ
    gives = CredentialInfoAnswer
    refuses = ("connection_not_found", "credential_not_found")

    def get(self, request: Request, connection_id: int, pk: int) -> Response:
        connection = connection_of(self, connection_id)
        self.read()
        credential = credential_of(connection, pk, with_deleted=True)
        (row,) = standing_rows([credential], connection)
        return Response({"credential": {**row, "deleted_at": timestamp(credential.deleted_at)}})


class CredentialsList(ApiView):
    """The credentials of a connection, without deleted ones."""

    scope = Scope.CREDENTIALS_READ
    takes = PageSerializer
    gives = CredentialsAnswer
    refuses = ("connection_not_found",)

    def get(self, request: Request, connection_id: int) -> Response:
        self.read()
        page, cursor = paginate_prepared(
            OF_CONNECTION,
            request,
            ("created_at", "id"),
            model=Credential,
            usual=WITHOUT_LIMIT,
            organization=access.require(self.organization),
            connection=connection_id,
        )
        if not page:  # none, or no such connection
            connection_of(self, connection_id)
        return list_answer(
            cursor, credentials=[credential_row(one, cast(Any, one).connector) for one in page]
        )


class CredentialsDelete(ApiView):
    """Delete a credential; its secret is erased at once."""

    scope = Scope.CREDENTIALS_WRITE
    takes = OneRow
    takes_if_match = True
    refuses = ("connection_not_found", "credential_not_found")
    example = {"id": 12}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        credential = credential_of(connection, self.read()["id"])
        credentials.delete_credential(
            credential=credential, by=self.actor, version=expected(request, credential)
        )
        return Response({})


class CredentialsVerify(ApiView):
    """Verify a credential now; it answers also when that fails."""

    scope = Scope.CREDENTIALS_WRITE
    takes = OneRow
    gives = VerificationAnswer
    refuses = ("connection_not_found", "credential_not_found")
    example = {"id": 12}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        credential = credential_of(connection, self.read()["id"])
        found = verification.verify_credential(credential=credential, by=self.actor)
        return Response({"verification": verification_row(found)})


class CredentialsDisable(ApiView):
    """Switch a credential off; it is kept, and not used."""

    scope = Scope.CREDENTIALS_WRITE
    takes = OneRow
    takes_if_match = True
    gives = CredentialAnswer
    refuses = ("connection_not_found", "credential_not_found")
    example = {"id": 12}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        credential = credential_of(connection, self.read()["id"])
        credentials.disable_credential(
            credential=credential, by=self.actor, version=expected(request, credential)
        )
        credential.refresh_from_db()
        return Response({"credential": credential_row(credential, connection.connector)})


class CredentialsEnable(ApiView):
    """Switch a credential on again."""

    scope = Scope.CREDENTIALS_WRITE
    takes = OneRow
    takes_if_match = True
    gives = CredentialAnswer
    refuses = ("connection_not_found", "credential_not_found")
    example = {"id": 12}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        credential = credential_of(connection, self.read()["id"])
        credentials.enable_credential(
            credential=credential, by=self.actor, version=expected(request, credential)
        )
        credential.refresh_from_db()
        return Response({"credential": credential_row(credential, connection.connector)})


def _answer(stored: Stored) -> dict[str, Any]:
    """A credential and what was just found of it."""
    answer: dict[str, Any] = {"verification": finding_row(stored.finding)}
    if stored.comparison is not None:
        answer["comparison"] = comparison_row(stored.comparison)
    if stored.credential is None:
        return {"dry_run": True, **answer}
    stored.credential.refresh_from_db()
    row = credential_row(stored.credential, stored.credential.connection.connector)
    return {**answer, "credential": row}
