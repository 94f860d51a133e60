"""Bad input to every method: a clear 4xx that names the field, and nothing stored."""

from typing import Any

import pytest

from connections.models import Connection, Credential
from tests.connections.api.conftest import Script, new_connection

pytestmark = pytest.mark.django_db

SECRET = "ATCTT-not-a-real-one"
TOO_BIG = 2**63


def changed(path: str, value: Any) -> dict[str, Any]:
    """The body of connections.create with one thing replaced; `…` removes it."""
    body = new_connection(SECRET)
    *outer, last = path.split(".")
    place: Any = body
    for name in outer:
        place = place.setdefault(name, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return body


NEW_CONNECTION = [
    ("type", ..., "type"),
    ("type", 5, "type"),
    ("name", ..., "name"),
    ("name", "", "name"),
    ("name", "n" * 101, "name"),
    ("name", ["a"], "name"),
    ("settings", ..., "settings"),
    ("settings", "acme", "settings"),
    ("settings.workspace", ..., "settings.workspace"),
    ("settings.workspace", "", "settings.workspace"),
    ("settings.workspace", "w" * 501, "settings.workspace"),
    ("settings.workspace", 5, "settings.workspace"),
    ("settings.workspace", "a b/c?d", "settings.workspace"),
    ("settings.more", "x", "settings.more"),
    ("credential", "x", "credential"),
    ("credential", {}, "credential.secrets"),
    ("credential.more", 1, "credential.more"),
    ("credential.secrets", [], "credential.secrets"),
    ("credential.secrets", {}, "credential.secrets"),
    ("credential.secrets.api_token", 5, "credential.secrets.api_token"),
    ("credential.secrets.api_token", "s" * 5000, "credential.secrets.api_token"),
    ("credential.secrets.api_token", "two\nlines", "credential.secrets.api_token"),
    ("credential.secrets.more", "x", "credential.secrets.more"),
    ("credential.method", "magic", "credential.method"),
    ("credential.method", "oauth2", "credential.method"),
    ("credential.label", "l" * 101, "credential.label"),
    ("credential.expiration_date", "tomorrow", "credential.expiration_date"),
    ("credential.expiration_date", "2027-02-30", "credential.expiration_date"),
    ("credential.expiration_date", "2027-2-3", "credential.expiration_date"),
    ("credential.expiration_date", "２０２７-02-03", "credential.expiration_date"),
    ("credential.settings", {"username": 1}, "credential.settings.username"),
    ("parent_id", "x", "parent_id"),
    ("parent_id", TOO_BIG, "parent_id"),
    ("parent_id", 1, "parent_id"),
    ("schedule", "hourly", "schedule"),
    ("schedule", {"kind": "sometimes"}, "schedule.kind"),
    ("schedule", {"kind": ["every"]}, "schedule.kind"),
    ("schedule", {"kind": "every", "minutes": 0}, "schedule.minutes"),
    ("schedule", {"kind": "every", "minutes": TOO_BIG}, "schedule.minutes"),
    ("schedule", {"kind": "cron", "cron": "no"}, "schedule.cron"),
    ("schedule", {"kind": "cron", "cron": "0 0 31 2 *"}, "schedule.cron"),
    ("schedule", {"kind": "cron", "cron": "0 0 * * *", "timezone": "M"}, "schedule.timezone"),
    ("schedule", {"kind": "off", "more": 1}, "schedule.more"),
    ("selection", [], "selection"),
    ("selection", {"streams": ["wishes"]}, "selection.streams"),
    ("selection", {"streams": "pull_requests"}, "selection.streams"),
    ("selection", {"since": "once"}, "selection.since"),
    ("selection", {"repositories": {"mode": "some"}}, "selection.repositories.mode"),
    ("selection", {"repositories": {"mode": "chosen", "ids": [1]}}, "selection.repositories.ids"),
    ("selection", {"more": 1}, "selection.more"),
    ("more", 1, "more"),
]


@pytest.mark.parametrize(("path", "value", "field"), NEW_CONNECTION)
def test_what_does_not_fit_a_new_connection(
    script: Script, path: str, value: Any, field: str
) -> None:
    answer = script.post("connections.create", changed(path, value))

    assert (answer.status, answer.error) == (422, "invalid_arguments"), answer.body
    assert field in answer.body["fields"], answer.body
    assert answer.body["message"].startswith("These do not fit: ")
    assert SECRET not in str(answer.body)
    assert not Connection.objects.exists()


def test_an_unknown_type_is_named_so(script: Script) -> None:
    answer = script.post("connections.create", changed("type", "gitlab"))

    assert (answer.status, answer.error) == (404, "unknown_connector_type")


POSTS = [
    "connections.create",
    "connections.update",
    "connections.verify",
    "connections.disable",
    "connections.enable",
    "connections.delete",
    "connections/{connection}/credentials.create",
    "connections/{connection}/credentials.update",
    "connections/{connection}/credentials.delete",
    "connections/{connection}/credentials.verify",
    "connections/{connection}/credentials.disable",
    "connections/{connection}/credentials.enable",
]
BODIES: list[tuple[Any, set[str]]] = [
    ("{", {"invalid_json"}),
    ('{"id": NaN}', {"invalid_json"}),
    ('{"id": 1, "id": 2}', {"invalid_json"}),
    (b'{"id": "\xff"}', {"invalid_json"}),
    ('{"name": "\\u0000"}', {"invalid_arguments"}),
    ('{"name": "\\ud800"}', {"invalid_arguments"}),
    ("[" * 5000, {"invalid_json"}),
    ("", {"invalid_json", "invalid_arguments"}),
    ([], {"invalid_arguments"}),
    ("5", {"invalid_arguments"}),
    ({}, {"invalid_arguments"}),
    ({"id": TOO_BIG}, {"invalid_arguments"}),
    ({"id": -1}, {"invalid_arguments"}),
    ({"id": 1.5}, {"invalid_arguments"}),
    ({"id": True}, {"invalid_arguments"}),
    ({"id": "x"}, {"invalid_arguments"}),
    ({"id": "1"}, {"invalid_arguments"}),
    ({"id": None}, {"invalid_arguments"}),
    ({"id": {"a": 1}}, {"invalid_arguments"}),
    ({"id": 1, "more": 1}, {"invalid_arguments"}),
    ("x" * 1_100_000, {"body_too_large"}),
]


@pytest.mark.parametrize("method", POSTS)
def test_no_body_breaks_a_method(script: Script, connection: Connection, method: str) -> None:
    before = list(Credential.objects.values("id", "label", "disabled_at", "deleted_at"))
    called = method.format(connection=connection.pk)

    for body, errors in BODIES:
        answer = script.post(called, body)

        assert 400 <= answer.status < 500, (body, answer.body)
        assert answer.error in errors, (str(body)[:60], answer.body)

    assert list(Credential.objects.values("id", "label", "disabled_at", "deleted_at")) == before
    assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"label": "l" * 101}, "label"),
        ({"label": 7}, "label"),
        ({"label": ""}, "label"),
        ({"settings": []}, "settings"),
        ({"settings": {"username": "x"}}, "settings.username"),
        ({"settings": {"username": None}}, "settings.username"),
        ({"secrets": {"password": "x"}}, "secrets.password"),
        ({"secrets": "x"}, "secrets"),
        ({"expiration_date": 5}, "expiration_date"),
        ({"refuse_fewer": 1}, "refuse_fewer"),
        ({"refuse_fewer": "true"}, "refuse_fewer"),
        ({"method": "api_token"}, "method"),
    ],
)
def test_what_does_not_fit_a_changed_credential(
    script: Script, connection: Connection, change: dict[str, Any], field: str
) -> None:
    credential = connection.credentials.get()
    called = f"connections/{connection.pk}/credentials.update"

    answer = script.post(called, {"id": credential.pk, **change})

    assert (answer.status, answer.error) == (422, "invalid_arguments"), answer.body
    assert field in answer.body["fields"], answer.body
    after = connection.credentials.get()
    assert (after.label, after.version) == (credential.label, credential.version)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"state": "sleeping"}, "state"),
        ({"more": "1"}, "more"),
        ({"type": "t" * 41}, "type"),
    ],
)
def test_what_does_not_fit_a_list(script: Script, query: dict[str, str], field: str) -> None:
    answer = script.get("connections.list", **query)

    assert (answer.status, answer.error) == (422, "invalid_arguments")
    assert field in answer.body["fields"]


@pytest.mark.parametrize("pk", ["99999999999999999999", "0", "x", "1%00"])
def test_a_connection_that_cannot_be(script: Script, pk: str) -> None:
    answers = [
        script.get(f"connections/{pk}/credentials.list"),
        script.get(f"connections/{pk}/credentials.info/1"),
        script.post(f"connections/{pk}/credentials.create", {"secrets": {"token": "x"}}),
    ]

    assert {(answer.status, answer.error) for answer in answers} == {(404, "connection_not_found")}


def test_an_id_in_a_form_is_digits(script: Script, connection: Connection) -> None:
    for text in (f" {connection.pk} ", f"+{connection.pk}", f"{connection.pk}.0", "１", "1" * 20):
        assert script.form("connections.disable", id=text).error == "invalid_arguments"

    assert script.form("connections.disable", id=str(connection.pk)).status == 200
