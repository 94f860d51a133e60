"""Deliveries as Bitbucket sends them: signed, with its headers and the shapes of its payloads."""

import hashlib
import hmac
import json
from datetime import datetime
from itertools import count
from typing import Any

from django.test import Client

from connections.models import Connection
from connections.services.webhook_secrets import make_secret

_NUMBERS = count(1)


def secret_of(connection: Connection) -> str:
    """A new secret for the webhooks of a connection."""
    made = make_secret(connection)
    assert made.secrets
    return str(made.secrets["secret"])


def signature(secret: str, raw: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def request_uuid() -> str:
    return f"{next(_NUMBERS):08d}-0000-4000-8000-000000000000"


def send(
    connection: Connection,
    secret: str,
    event: str,
    body: dict[str, Any] | bytes,
    *,
    path: str = "",
    **headers: str,
) -> Any:
    """The answer to one delivery. Headers may be replaced, or taken away with an empty text."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {
        "X-Event-Key": event,
        "X-Hook-UUID": "{70000000-0000-0000-0000-000000000001}",
        "X-Request-UUID": request_uuid(),
        "X-Attempt-Number": "1",
        "X-Hub-Signature": signature(secret, raw),
        "User-Agent": "Bitbucket-Webhooks/2.0",
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    address = path or f"/webhooks/{connection.connector}/{connection.public_id}"
    return Client().post(
        address,
        raw,
        content_type="application/json",
        headers={name: value for name, value in sent.items() if value},
    )


def about_pull_request(repository: Any, number: int, updated_on: datetime) -> dict[str, Any]:
    """Of a pull request; `repository` has uuid and full_name."""
    changed = {"id": number, "updated_on": updated_on.isoformat(), "title": "never believed"}
    return {**about_repository(repository), "pullrequest": changed}


def about_push(repository: Any, new: str = "f" * 40) -> dict[str, Any]:
    change = {"old": None, "new": {"target": {"hash": new}}, "commits": []}
    return {**about_repository(repository), "push": {"changes": [change]}}


def about_repository(repository: Any) -> dict[str, Any]:
    return {"repository": {"uuid": repository.uuid, "full_name": repository.full_name}}
