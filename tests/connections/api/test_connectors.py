"""connectors.list and connectors.info."""

import pytest
from jsonschema import Draft202012Validator

from connections import connectors
from tenants.models import Organization
from tests.connections.api.conftest import MakeScript, Script

pytestmark = pytest.mark.django_db


def test_every_connector_is_listed_with_its_methods(script: Script) -> None:
    answer = script.get("connectors.list")

    assert answer.status == 200
    row, beneath = answer.body["connectors"]
    assert set(row) >= {
        "type",
        "name",
        "supports_multiple_credentials",
        "requires_parent",
        "methods",
        "streams",
    }
    assert row["type"] == "bitbucket_cloud"
    assert [method["method"] for method in row["methods"]] == [
        "oauth2",
        "access_token",
        "api_token",
        "app_password",
    ]
    assert "pull_requests" in row["streams"]
    assert row["requires_parent"] is None
    assert beneath["type"] == "bitbucket_pipelines"
    assert beneath["requires_parent"] == "bitbucket_cloud"
    assert beneath["streams"] == ["pipelines", "pipeline_steps", "deployments"]
    assert [method["method"] for method in beneath["methods"]] == [
        "access_token",
        "api_token",
        "app_password",
    ]


def test_the_schemas_are_what_the_server_validates_with(script: Script) -> None:
    methods = script.get("connectors.info/bitbucket_cloud").body["connector"]["methods"]
    schema = next(m for m in methods if m["method"] == "api_token")["settings_schema"]

    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)

    assert validator.is_valid({"username": "ada@example.com"})
    assert not validator.is_valid({"username": "ada"})
    assert not validator.is_valid({"username": "ada@example.com", "more": ""})


def test_an_unknown_type_is_named_so(script: Script) -> None:
    answer = script.get("connectors.info/gitlab")

    assert (answer.status, answer.error) == (404, "unknown_connector_type")


def test_any_scope_reads_the_connectors(organization: Organization, script_of: MakeScript) -> None:
    script = script_of(organization, scopes=["records:read"])

    assert script.get("connectors.list").status == 200
    assert len(connectors.connectors()) == 2
