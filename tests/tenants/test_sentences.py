"""Events of the audit trail as people read them."""

from typing import Any

import pytest

from tenants.models import AuditEvent
from tenants.sentences import details, event_name, sentence

ADA = {"actor_type": "user", "actor_name": "Ada", "actor_email": "ada@example.com"}
TOKEN = {"type": "credential", "id": 1, "name": "CI token"}
GRANT = {"type": "grant", "id": 1, "name": "Bitbucket authorization of Bo"}


def event(event_type: str, **values: Any) -> AuditEvent:
    return AuditEvent(event_type=event_type, **{**ADA, "target": TOKEN, **values})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (event("credentials.rotated"), "Ada rotated the credential CI token"),
        (
            event("credentials.rotated", target={**TOKEN, "connection": "Engineering"}),
            "Ada rotated the credential CI token of Engineering",
        ),
        (event("members.joined"), "Ada joined"),
        (event("members.role_changed", target={"name": "Ben"}), "Ada changed the role of Ben"),
        (event("syncs.started", target={"name": "Main"}), "Ada started the sync of Main"),
        (
            event("deliveries.replayed", target={"name": "repo:push", "connection": "Main"}),
            "Ada replayed the delivery repo:push of Main",
        ),
        (
            event("connections.created", actor_type="api_key", actor_name="terraform"),
            "API key terraform created the connection CI token",
        ),
        (
            event("connections.created", actor_type="access_key", actor_name="terraform"),
            "Access key terraform created the connection CI token",
        ),
        (event("credentials.used", actor_name=""), "ada@example.com used the credential CI token"),
        (
            event(
                "secrets.tried",
                target={"name": "Main"},
                changes={"for": "verification", "requests": 7},
            ),
            "Ada tried a secret for Main (verification): 7 requests",
        ),
        (
            event("grants.used", target=GRANT, changes={"for": "estimate", "requests": 1}),
            "Ada used the Bitbucket authorization of Bo for estimate: 1 request",
        ),
        (
            event("grants.renewed", target=GRANT, changes={"requests": 3}),
            "Ada consented at Bitbucket again, for the Bitbucket authorization of Bo: 3 requests",
        ),
        (event("moon_bases.landed_on"), "Ada landed on the moon bases CI token"),
        (event("odd"), "Ada odd: CI token"),
    ],
)
def test_an_event_reads_as_a_sentence(given: AuditEvent, expected: str) -> None:
    plain = sentence(given)
    for tag in ("<strong>", "</strong>", "<em>", "</em>"):
        plain = plain.replace(tag, "")  # type: ignore[assignment]

    assert plain.strip() == expected.strip()


def test_what_is_foreign_is_escaped() -> None:
    bad = event("a.b", actor_name="<i>", target={"name": "<b>"}, changes={"<u>": ["<s>", "x"]})

    assert "&lt;i&gt;" in sentence(bad)
    assert "&lt;b&gt;" in sentence(bad)
    assert details(bad) == "<div>&lt;u&gt;: &lt;s&gt; → x</div>"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": ["viewer", "admin"]}, "role: Viewer → Admin"),
        ({"name": ["", "New"]}, "name: nothing → New"),
        ({"secrets": "changed"}, "secrets: changed"),
        ({"api_keys": [["CI", "x"], "revoked"]}, "api keys: CI, x → revoked"),
        ({"schedule": {"kind": "every", "minutes": 15}}, "schedule: kind every, minutes 15"),
        ({}, ""),
    ],
)
def test_details_are_lines(changes: dict[str, Any], expected: str) -> None:
    shown = details(event("a.b", changes=changes))

    assert shown == (f"<div>{expected}</div>" if expected else "")


def test_a_type_of_event_is_readable() -> None:
    assert event_name("members.role_changed") == "members: role changed"
