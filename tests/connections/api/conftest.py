"""A script that calls the API with a key."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from rest_framework_api_key.crypto import KeyGenerator

from tenants.models import ApiKey, Organization, Scope
from tenants.roles import Role
from tests import described


@dataclass
class Answer:
    """A status, and the decoded body."""

    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def error(self) -> str:
        return str(self.body.get("error", ""))


@dataclass
class Script:
    """Calls methods with one key. Each answer must be one that the API says it may give."""

    key: str
    client: Client

    def get(self, method: str, **query: Any) -> Answer:
        return self._answer(method, self.client.get(f"/api/{method}", query, headers=self._headers))

    def post(self, method: str, body: Any, **headers: str) -> Answer:
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        told = {**self._headers, **headers}
        return self._answer(
            method,
            self.client.post(f"/api/{method}", sent, content_type="application/json", headers=told),
        )

    def form(self, method: str, **fields: str) -> Answer:
        return self._answer(
            method,
            self.client.post(
                f"/api/{method}",
                urlencode(fields),
                content_type="application/x-www-form-urlencoded",
                headers=self._headers,
            ),
        )

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def _answer(self, method: str, response: Any) -> Answer:
        body = json.loads(response.content)
        described.check(method, response.status_code, response.headers, body)
        return Answer(response.status_code, body, response.headers)


MakeScript = Callable[..., Script]


@pytest.fixture
def script_of() -> MakeScript:
    """Makes scripts with keys of an organization."""

    def make(organization: Organization, scopes: list[str] | None = None) -> Script:
        key, prefix, hashed = KeyGenerator().generate()
        ApiKey.objects.create(
            organization=organization,
            name="terraform",
            prefix=prefix,
            hash=hashed,
            scopes=Scope.values if scopes is None else scopes,
            role=Role.OWNER,
        )
        return Script(key, Client(raise_request_exception=False))

    return make


@pytest.fixture
def script(organization: Organization, script_of: MakeScript) -> Script:
    """A script with a key that may do everything."""
    return script_of(organization)


def new_connection(token: str, **more: Any) -> dict[str, Any]:
    """The body of connections.create with a workspace access token."""
    return {
        "type": "bitbucket_cloud",
        "name": "Engineering",
        "settings": {"workspace": "acme"},
        "credential": {"secrets": {"api_token": token}},
        **more,
    }
