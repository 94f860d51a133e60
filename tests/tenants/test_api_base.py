"""The base of the API: keys, scopes, the envelope, strict bodies, pages of lists."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from tenants.actor import Actor
from tenants.models import ApiKey, Membership, Organization, User
from tenants.roles import Role
from tenants.services import audit
from tests.tenants.conftest import MakeKey

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.addresses")]

ECHO, EVENTS, BREAKS = "/api/test.echo", "/api/test.events", "/api/test.breaks"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def post(client: Client, body: Any, content_type: str = "application/json") -> Any:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(ECHO, data, content_type=content_type)


def test_a_key_enters_its_organization(api: Client, organization: Organization) -> None:
    answer = api.get(ECHO)

    assert answer.json() == {"ok": True, "entered": organization.pk, "actor": "script"}
    assert answer["X-RateLimit-Limit"] == "1000"
    assert answer["X-RateLimit-Remaining"] == "999"
    assert answer["X-Request-Id"]


@pytest.mark.parametrize(
    "header",
    ["", "Basic YTpi", "Bearer", "Bearer x", "Bearer \x00", "Bearer " + "a" * 8 + "." + "b" * 32],
)
def test_without_a_key_nothing_is_told(client: Client, header: str, key: str) -> None:
    answer = client.get(ECHO, headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.json()["error"] == "not_authed"
    assert answer.json()["request_id"] == answer["X-Request-Id"]
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_session_is_no_key(client: Client, owner: User) -> None:
    client.force_login(owner)

    assert client.get(ECHO).status_code == 401


def test_a_key_ends(client: Client, make_key: MakeKey) -> None:
    expired = make_key(expires_at=now() - timedelta(seconds=1))
    revoked = make_key(revoked_at=now())

    answers = [client.get(ECHO, headers=bearer(key)).json()["error"] for key in (expired, revoked)]

    assert answers == ["key_expired", "not_authed"]


def test_the_use_of_a_key_is_noted(api: Client) -> None:
    api.get(ECHO)

    used = ApiKey.objects.get().last_used_at
    assert used is not None
    assert now() - used < timedelta(minutes=1)


def test_a_missing_scope_is_named(client: Client, make_key: MakeKey) -> None:
    key = make_key(scopes=["syncs:read"])

    answer = client.get(ECHO, headers=bearer(key))

    assert (answer.status_code, answer.json()["error"]) == (403, "missing_scope")
    assert "connections:read" in answer.json()["message"]


def test_a_key_can_do_no_more_than_its_role(client: Client, make_key: MakeKey) -> None:
    key = make_key(role=Role.VIEWER)

    answer = client.post(ECHO, headers=bearer(key))

    assert client.get(ECHO, headers=bearer(key)).status_code == 200
    assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")


def test_a_key_can_do_no_more_than_its_maker_now(api: Client, membership: Membership) -> None:
    assert post(api, {"name": "x"}).status_code == 201

    Membership.objects.filter(pk=membership.pk).update(role=Role.VIEWER)
    assert post(api, {"name": "x"}).json()["error"] == "not_allowed"

    membership.delete()
    assert api.get(ECHO).json()["error"] == "not_allowed"


def test_a_key_of_an_inactive_maker_does_nothing(api: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)

    assert api.get(ECHO).json()["error"] == "not_allowed"


def test_a_key_without_maker_has_its_own_role(client: Client, make_key: MakeKey) -> None:
    key = make_key(made_by=None, role=Role.ADMIN)

    assert client.get(ECHO, headers=bearer(key)).status_code == 200


def test_a_method_that_names_no_scope_is_closed(api: Client) -> None:
    assert api.get("/api/test.closed").json()["error"] == "not_allowed"


def test_too_many_requests(api: Client, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {
        **django_settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"api_key": "2/day"},
    }

    answers = [api.get(ECHO) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["error"] == "rate_limited"
    assert int(answers[-1]["Retry-After"]) > 0
    assert answers[-1]["X-RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("{", "not valid JSON"),
        ('{"name": "a", "name": "b"}', "twice"),
        ('{"name": NaN}', "NaN"),
        ('{"name": Infinity}', "Infinity"),
        ("[" * 100_000, "deep"),
        ('{"name": ' + "9" * 5000 + "}", "too long"),
        (b"\xff\xfe{}", "UTF-8"),
        ('{"name": "a"}'.encode("utf-16"), "UTF-8"),
    ],
)
def test_malformed_json(api: Client, body: str | bytes, part: str) -> None:
    answer = post(api, body)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_json")
    assert part in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name"}),
        ([], {""}),
        ("null", {""}),
        ({"name": "x" * 11}, {"name"}),
        ({"name": ["x"]}, {"name"}),
        ({"name": None}, {"name"}),
        ({"name": "x", "colour": "red"}, {"colour"}),
        ({"name": "x", "settings": {}}, {"settings.username"}),
        ({"name": "x", "settings": {"username": "no e-mail"}}, {"settings.username"}),
        ({"name": "x", "settings": {"username": "a@b.de", "x": 1}}, {"settings.x"}),
        ({"name": "x", "settings": "text"}, {"settings"}),
        ({"name": "x", "ids": [2**63]}, {"ids.0"}),
        ({"name": "x", "ids": [1.0, True]}, {"ids.0", "ids.1"}),
        ({"name": "x", "ids": ["1", " 1 ", "1.0", "１", "+1"]}, {f"ids.{n}" for n in range(5)}),
        (r'{"name": "\u0000"}', {"name"}),
        (r'{"name": "\ud800"}', {"name"}),
        (r'{"\ud800": 1}', {""}),
        (r'{"name": "x", "settings": {"username": "a\u0000"}}', {"settings.username"}),
        (r'{"name": "x", "ids": [1, "\u0000"]}', {"ids.1"}),
    ],
)
def test_arguments_that_do_not_fit(api: Client, body: Any, fields: set[str]) -> None:
    answer = post(api, body)

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_arguments")
    assert set(answer.json()["fields"]) == fields


def test_what_stands_in_the_address_of_a_write_is_not_left_out_in_silence(api: Client) -> None:
    answer = api.post(f"{ECHO}?dry_run=1", '{"name": "x"}', content_type="application/json")

    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"dry_run"})


def test_what_does_not_fit_is_said_in_sentences(api: Client) -> None:
    unknown = post(api, {"name": "x", "colour": "red"}).json()["fields"]
    no_json = post(api, "name=x&settings=no", "application/x-www-form-urlencoded").json()["fields"]

    assert unknown == {"colour": "There is no such field."}
    assert no_json["settings"].startswith("The text is not valid JSON: ")


def test_a_form_body_means_the_same(api: Client) -> None:
    form = "name=x&settings=%7B%22username%22%3A%22a%40b.de%22%7D&ids=%5B1%5D"

    answer = post(api, form, "application/x-www-form-urlencoded")

    assert answer.status_code == 201
    assert answer.json()["got"] == {"name": "x", "settings": {"username": "a@b.de"}, "ids": [1]}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("name=x&name=y", 422),
        ("name=x&settings=notjson", 422),
        ("name=%00", 422),
        ("name=x&settings=%7B%22username%22%3A%22%5Cu0000%22%7D", 422),
        ("name=%ff", 400),
        ("&&&=", 400),
        ("a=1&" * 1001, 400),
    ],
)
def test_a_form_body_that_does_not_fit(api: Client, form: str, status: int) -> None:
    assert post(api, form, "application/x-www-form-urlencoded").status_code == status


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        ("text/plain", "unsupported_media_type"),
        ("multipart/form-data; boundary=x", "unsupported_media_type"),
        ("application/json; charset=utf-16", "unsupported_media_type"),
        ("*/*", "unsupported_media_type"),
        ("application/*", "unsupported_media_type"),
        ("application/json; charset=UTF-8", None),
    ],
)
def test_kinds_of_bodies(api: Client, content_type: str, error: str | None) -> None:
    assert post(api, {"name": "x"}, content_type).json().get("error") == error


def test_a_body_that_is_too_large(api: Client) -> None:
    answer = post(api, {"name": "x" * 1_048_576})

    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


def test_methods_and_kinds_of_answers(api: Client) -> None:
    assert api.delete(ECHO).json()["error"] == "method_not_allowed"
    assert api.post(EVENTS).status_code == 405
    assert api.options(ECHO).status_code == 405
    assert api.head(ECHO).status_code == 200
    assert api.get(ECHO, headers={"Accept": "text/html"}).json()["error"] == "not_acceptable"


@pytest.mark.parametrize("path", ["/api/", "/api/no.such", "/api/test.echo/", "/api/%00"])
def test_an_unknown_method(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_method")


def test_every_answer_to_a_key_counts_and_shows_the_limit(api: Client) -> None:
    answers = [
        api.get(ECHO),
        api.put(ECHO),
        api.options(ECHO),
        api.get(ECHO, headers={"Accept": "text/html"}),
        api.get("/api/no.such"),
        api.put("/api/no.such"),
        post(api, "{"),
    ]

    left = [int(answer["X-RateLimit-Remaining"]) for answer in answers]
    assert left == list(range(999, 999 - len(answers), -1))
    assert {answer["X-RateLimit-Limit"] for answer in answers} == {"1000"}
    assert len({answer["X-RateLimit-Reset"] for answer in answers}) <= 2


@pytest.mark.parametrize("path", [ECHO, "/api/no.such"])
@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer x"])
def test_an_answer_to_nobody_shows_an_unused_limit(client: Client, path: str, header: str) -> None:
    asked_at = int(time.time())

    answer = client.get(path, headers={"Authorization": header} if header else {})

    assert answer.status_code in {401, 404}
    assert answer["X-RateLimit-Limit"] == answer["X-RateLimit-Remaining"] == "1000"
    assert int(answer["X-RateLimit-Reset"]) > asked_at


def test_an_unknown_method_is_not_repeated(client: Client) -> None:
    answer = client.get("/api/ATCTT-a-secret-by-mistake")

    assert "ATCTT" not in answer.content.decode()


def test_errors_of_services_and_our_own(api: Client) -> None:
    domain, bug = (api.get(BREAKS, {"by": by}) for by in ("domain", "bug"))

    assert (domain.status_code, domain.json()["fields"]) == (422, {"name": "Taken."})
    assert (bug.status_code, bug.json()["error"]) == (500, "internal_error")
    assert "secret detail" not in bug.content.decode()


def test_a_list_is_stable_under_inserts(api: Client, organization: Organization) -> None:
    def note() -> int:
        return audit.record(
            organization=organization, event_type="a.b", by=Actor.system(), target={}
        ).pk

    made = [note() for _ in range(5)]
    first = api.get(EVENTS, {"limit": "2"}).json()
    note()
    cursor = first["response_metadata"]["next_cursor"]

    second = api.get(EVENTS, {"limit": "100", "cursor": cursor}).json()

    assert first["ids"] + second["ids"] == made[::-1]
    assert second["response_metadata"]["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": text} for text in ("0", "101", "x", "1_0", "1.0", "１", "+1", " 1")),
        *({"cursor": text} for text in ("x", "\0")),
    ],
)
def test_pages_that_do_not_exist(api: Client, query: dict[str, str]) -> None:
    answer = api.get(EVENTS, query)

    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == set(query)


def test_a_compressed_body_is_refused(api: Client) -> None:
    answer = api.post(
        ECHO,
        '{"name": "x"}',
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )

    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


def test_an_answer_repeats_little_of_what_was_sent(api: Client) -> None:
    many = post(api, {f"key-{number}": 1 for number in range(40_000)})
    long = post(api, {"k" * 900_000: 1})

    assert (many.status_code, long.status_code) == (422, 422)
    assert len(many.content) < 10_000
    assert len(long.content) < 10_000
