"""The description of the API: whole, valid, and with examples that are true."""

from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from config.openapi.meanings import MEANINGS
from config.openapi.views import description
from tenants.api import ApiView
from tenants.authentication import ANY
from tenants.models import Scope
from tenants.refusals import STATUS_OF_CODE
from tests.described import OPERATIONS, check
from tests.test_isolation import ROUTES

SCOPES_OF_CONTRACT = {
    "connectors.*": ANY,
    "connections.list": "connections:read",
    "connections.info": "connections:read",
    "connections.estimate": "connections:read",
    "connections.*": "connections:write",
    "repositories.select": "connections:write",
    "webhooks.status": "connections:read",
    "webhooks.*": "connections:write",
    "credentials.list": "credentials:read",
    "credentials.info": "credentials:read",
    "credentials.*": "credentials:write",
    "syncs.list": "syncs:read",
    "syncs.info": "syncs:read",
    "coverage.*": "syncs:read",
    "quota.*": "syncs:read",
    "syncs.*": "syncs:write",
    "repositories.list": "records:read",
    "records.*": "records:read",
    "deliveries.replay": "syncs:write",
    "deliveries.*": "records:read",
    "auditLogs.*": "audit:read",
}
METHODS = [route for route in ROUTES if route.path.startswith("api/") and "." in route.name]


def test_every_method_is_described() -> None:
    assert set(OPERATIONS) == {route.name for route in METHODS}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_method_is_described_in_full(name: str) -> None:
    operation = OPERATIONS[name]
    route = next(route for route in METHODS if route.name == name)

    assert issubclass(route.view, ApiView)
    assert operation["summary"].endswith((".", ":"))
    assert {scope for named in operation["security"] for scope in named["key"]} <= set(Scope.values)
    assert {"401", "403", "406", "422", "429", "500", "503"} <= set(operation["responses"])
    if "requestBody" in operation and route.view.takes().fields:
        assert route.view.example, "Give an example of what it takes."


def test_the_scopes_are_those_of_the_contract() -> None:
    found = {
        name: next(iter(operation["security"][0]["key"]), ANY)
        for name, operation in OPERATIONS.items()
    }

    assert found == {
        name: SCOPES_OF_CONTRACT.get(name) or SCOPES_OF_CONTRACT[f"{name.partition('.')[0]}.*"]
        for name in found
    }


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_examples_fit(name: str) -> None:
    headers = dict.fromkeys(
        ("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"), "1"
    )
    operation = OPERATIONS[name]
    components = description()["components"]
    for status, answer in operation["responses"].items():
        if int(status) < 300 and "application/json" in answer["content"]:
            check(
                f"api/{name}",
                int(status),
                headers,
                answer["content"]["application/json"]["example"],
            )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        schema = {**body["schema"], "components": components}
        Draft202012Validator(schema).validate(body["example"])
    for parameter in operation["parameters"]:
        if parameter["in"] == "query" and "example" in parameter:
            kind = parameter["schema"].get("type")
            said = parameter["example"]
            meant = said == "true" if kind == "boolean" else said
            Draft202012Validator(parameter["schema"]).validate(meant)


def test_every_code_has_a_meaning_and_stands_in_the_text() -> None:
    assert set(MEANINGS) == set(STATUS_OF_CODE)
    text = description()["info"]["description"]
    assert all(f"| {status} | `{code}` |" in text for code, status in STATUS_OF_CODE.items())


def test_schemas_are_schemas() -> None:
    for schema in description()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_it_is_served_to_anybody(client: Client, settings: Any) -> None:
    answer = client.get("/api/schema/")

    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"] == [{"url": settings.PUBLIC_URL}]
    assert answer["X-Request-Id"]


def test_the_page_brings_all_it_needs(client: Client) -> None:
    page = client.get("/api/docs/")

    assert page.status_code == 200
    assert b"swagger-ui-bundle.js" in page.content
    assert b"style=" not in page.content
    assert b"//cdn" not in page.content
