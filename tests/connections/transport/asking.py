"""A transport to a server of ours, with a secret that must stay one."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from connections.transport.errors import ProviderError
from connections.transport.http import Transport
from connections.transport.ledger import Purpose
from tests.connections.ledgers import CountingLedger
from tests.connections.transport.servers import Server, serving

SECRET = "ATCTT3xFfGN0-a-secret-that-nobody-may-see"


def put_secret(headers: MutableMapping[str, str]) -> None:
    headers["Authorization"] = f"Bearer {SECRET}"


def transport_to(server: Server, settings: Settings, **options: Any) -> Transport:
    settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset({server.host})
    options = {"ledger": CountingLedger(), "deadline": 5.0, **options}
    base = f"http://{server.host}/2.0"
    return Transport(
        base, authenticate=put_secret, subject="token", purpose=Purpose.VERIFY, **options
    )


def failure(talk: Any, settings: Settings, **options: Any) -> ProviderError:
    with serving(talk) as server, pytest.raises(ProviderError) as caught:
        transport_to(server, settings, **options).get("/user")
    assert SECRET not in str(caught.value.as_dict())
    return caught.value
