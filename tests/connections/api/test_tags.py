"""Tags of connections over the API."""

from typing import Any

import pytest

from tenants.models import AuditEvent
from tests.connections.api.conftest import Script

pytestmark = pytest.mark.django_db
PENDING = {"type": "bitbucket_cloud", "name": "Main", "settings": {"workspace": "acme"}}


def test_tags_are_kept_changed_and_found(script: Script) -> None:
    made = script.post(
        "connections.create",
        {**PENDING, "name": "Tagged", "tags": {"env": "prod", "team": ""}},
    ).body["connection"]
    script.post("connections.create", {**PENDING, "name": "Other", "tags": {"env": "dev"}})

    changed = script.post(
        "connections.update", {"id": made["id"], "tags": {"env": "test", "a": " 1 "}}
    )

    assert made["tags"] == {"env": "prod", "team": ""}
    assert changed.body["connection"]["tags"] == {"a": "1", "env": "test"}
    assert changed.body["connection"]["etag"] != made["etag"]
    event = AuditEvent.objects.filter(event_type="connections.updated")[0]
    assert event.changes["tags"] == [made["tags"], {"a": "1", "env": "test"}]
    for tag, names in (
        ("env", ["Other", "Tagged"]),
        ("env=test", ["Tagged"]),
        ("env=prod", []),
        ("en", []),
    ):
        found = script.get("connections.list", state="all", tag=tag).body["connections"]
        assert [row["name"] for row in found] == names, tag


@pytest.mark.parametrize(
    "tags",
    [
        {"": "x"},
        {"x" * 129: ""},
        {"x": "v" * 257},
        {"AWS:x": ""},
        {"a=b": ""},
        {"a\nb": ""},
        {"a": "b\u202ec"},
        {"a": 1},
        {"a": None},
        {" a": "1"},
        {"a ": "1"},
        {" ": "1"},
        {str(number): "" for number in range(51)},
    ],
)
def test_tags_that_do_not_fit(script: Script, tags: dict[str, Any]) -> None:
    answer = script.post("connections.create", {**PENDING, "tags": tags})

    assert answer.status == 422
    assert all(name.startswith("tags") for name in answer.body["fields"])
