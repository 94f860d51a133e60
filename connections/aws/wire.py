"""The two forms in which AWS's clients ask: JSON 1.0, and Smithy's RPC with CBOR.

JSON names the operation in `X-Amz-Target` and posts to the endpoint itself. CBOR, which newer
clients speak for CodeConnections, posts below it: `service/<name>/operation/<operation>`.
https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
from rest_framework.request import Request

from connections.aws.errors import AwsError
from tenants import strict_json

LARGEST = 2 * 1024 * 1024  # characters and values in a body, which itself has half of that

# Names of the services in `X-Amz-Target`, and in the scope of a signature.
SERVICES = {
    "com.amazonaws.codestar.connections.CodeStar_connections_20191201": "codestar-connections",
    "com.amazonaws.codeconnections.CodeConnections_20231201": "codeconnections",
}
SHORT = {target.rpartition(".")[2]: service for target, service in SERVICES.items()}


@dataclass(frozen=True, kw_only=True)
class Form:
    """How bodies are read and written, and the headers by which a client knows the form."""

    headers: Mapping[str, str]
    load: Callable[[bytes], Any]
    dump: Callable[[Any], bytes]


@dataclass(frozen=True, kw_only=True)
class Call:
    """Which operation of which service is called, and in which form."""

    service: str
    operation: str
    form: Form

    def arguments(self, body: bytes) -> dict[str, Any]:
        """What was sent. Raises SerializationException."""
        try:
            sent = self.form.load(body) if body else {}
        except (cbor2.CBORError, ValueError, TypeError, RecursionError):
            sent = None
        if not isinstance(sent, dict):
            raise AwsError("SerializationException", "The body cannot be read.")
        return sent


def _load_cbor(body: bytes) -> Any:
    """One item and nothing behind it, read as strictly as JSON: plain data only."""
    stream = io.BytesIO(body)
    found = cbor2.load(stream)
    if stream.read(1):
        raise ValueError("Something follows.")
    _check_size(found)
    return strict_json.loads(json.dumps(found))


def _check_size(found: Any) -> None:
    """Refuse what is larger than it came: CBOR may name one value many times, or inside itself."""
    size, left = 0, [found]
    while left:
        one = left.pop()
        size += 1
        if isinstance(one, str | bytes):
            size += len(one)
        elif isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            left += one
        if size + len(left) > LARGEST:
            raise ValueError("It is too large.")


JSON = Form(
    headers={"Content-Type": "application/x-amz-json-1.0"},
    load=strict_json.loads,
    dump=lambda value: json.dumps(value).encode(),
)
CBOR = Form(
    headers={"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"},
    load=_load_cbor,
    dump=cbor2.dumps,
)


def form_of(request: Request) -> Form:
    """The form in which the client wants to be answered, whatever it asks."""
    return CBOR if request.headers.get("Smithy-Protocol") == "rpc-v2-cbor" else JSON


def call_of(request: Request, service: str, operation: str) -> Call:
    """What is called: named by the path, or by the header. Raises UnknownOperationException."""
    form = form_of(request)
    if not service:
        service, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
    known = SERVICES.get(service) or SHORT.get(service)
    if known is None:
        raise AwsError("UnknownOperationException", "There is no such service here.")
    return Call(service=known, operation=operation, form=form)
