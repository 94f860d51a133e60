"""Holds answers of the API against its own description, more strictly than that reads.

An answer may have no part that the description does not name, though clients must allow for more.
"""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from config.openapi.views import description

OPERATIONS = {
    operation["operationId"]: operation
    for item in description()["paths"].values()
    for operation in item.values()
}


def check(address: str, status: int, headers: Any, body: Any) -> None:
    """Raise AssertionError unless the method at this address may answer so."""
    name = method_of(address)
    if name not in OPERATIONS:
        return
    answers = OPERATIONS[name]["responses"]
    assert str(status) in answers, f"{name} does not say that it may answer {status}: {body}"
    for header, told in answers[str(status)]["headers"].items():
        assert header in headers or header == "Idempotency-Replayed", f"{name}: {header}, {told}"
    problems = list(_validator(name, str(status)).iter_errors(body))
    assert not problems, f"{name} {status}: {problems[0].message[:300]} at {problems[0].json_path}"


def method_of(address: str) -> str:
    """The method in an address, such as credentials.list."""
    steps = address.partition("?")[0].split("/")
    return next((step for step in steps if "." in step), "")


@cache
def _validator(name: str, status: str) -> Draft202012Validator:
    content = OPERATIONS[name]["responses"][status]["content"]
    schema = {**content["application/json"]["schema"], "components": description()["components"]}
    return Draft202012Validator(_closed(schema))


def _closed(schema: Any) -> Any:
    """The same schema, in which no object has more than is named."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(one) for name, one in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed
