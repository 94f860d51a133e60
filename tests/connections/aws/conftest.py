"""A key of an organization, and calls that AWS's own library signs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.test import Client

from tenants.actor import Actor
from tenants.models import AccessKey, Organization, Scope, User
from tenants.roles import Role
from tenants.services.access_keys import make_access_key

CODESTAR = "com.amazonaws.codestar.connections.CodeStar_connections_20191201"
REGION = "eu-central-1"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def error(self) -> str:
        return str(self.body.get("__type", ""))


@dataclass
class Signer:
    """Signs and sends calls as AWS's clients do."""

    key_id: str
    secret: str
    client: Client
    row: AccessKey

    def headers(
        self,
        operation: str,
        body: bytes,
        *,
        region: str = REGION,
        service: str = "codestar-connections",
        host: str = "testserver",
    ) -> dict[str, str]:
        """The headers of a signed call."""
        request = AWSRequest(
            "POST",
            f"http://{host}/aws/",
            data=body,
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"{CODESTAR}.{operation}",
            },
        )
        SigV4Auth(Credentials(self.key_id, self.secret), service, region).add_auth(request)
        return dict(request.headers.items())

    def send(self, body: bytes, headers: dict[str, str], path: str = "/aws/") -> Answer:
        kind = headers.get("Content-Type", "")
        sent = {name: value for name, value in headers.items() if name != "Content-Type"}
        answer = self.client.post(path, body, content_type=kind, headers=sent)
        return Answer(answer.status_code, json.loads(answer.content), answer.headers)

    def __call__(self, operation: str, sent: Any = None, **how: str) -> Answer:
        body = json.dumps(sent or {}).encode()
        return self.send(body, self.headers(operation, body, **how))


MakeSigner = Callable[..., Signer]


@pytest.fixture
def make_signer(organization: Organization, owner: User) -> MakeSigner:
    def make(**values: Any) -> Signer:
        given = {
            "organization": organization,
            "name": "terraform",
            "scopes": Scope.values,
            "role": Role.OWNER,
            "by": Actor.for_user(owner),
        }
        row, secret = make_access_key(**given | values)
        return Signer(row.key_id, secret, Client(), row)

    return make


@pytest.fixture
def aws(make_signer: MakeSigner) -> Signer:
    """A key that may do everything."""
    return make_signer()
