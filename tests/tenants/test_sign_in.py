"""Who gets in: sign-up, and sign-in with Bitbucket against the simulated one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings

from tenants.actor import Actor
from tenants.models import Membership, Organization, User
from tenants.roles import Role
from tenants.services.invitations import invite
from tests.factories import UserFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _sign_in(sandbox: Sandbox, settings: Settings) -> None:
    for name, value in sandbox.settings().items():
        if name.startswith("BITBUCKET_SIGNIN"):
            setattr(settings, name, value)
    settings.PUBLIC_URL = "http://127.0.0.1:8000"


def continue_with_bitbucket(client: Client, persona: str = "ada", **query: str) -> Any:
    """Press the button, consent as a persona, come back."""
    there = client.post("/accounts/bitbucket_oauth2/login/", query)["Location"]
    form = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    back = requests.post(
        there.partition("?")[0],
        form | {"persona": persona, "decision": "grant"},
        allow_redirects=False,
        timeout=5,
    )
    return come_back(client, back.headers["Location"])


def come_back(client: Client, address: str) -> Any:
    assert address.startswith("http://127.0.0.1:8000/accounts/bitbucket_oauth2/login/callback/")
    return client.get(address.removeprefix("http://127.0.0.1:8000"))


def signed_in(client: Client) -> User | None:
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk) if pk else None


def sign_up(client: Client, email: str = "new@example.com") -> Any:
    return client.post("/accounts/signup/", {"email": email, "password1": PASSWORD})


def test_the_first_user_comes_in_with_bitbucket(client: Client, sandbox: Sandbox) -> None:
    answer = continue_with_bitbucket(client)

    user = signed_in(client)
    assert answer["Location"] == "/"
    assert user is not None
    assert (user.name, user.has_usable_password()) == ("Ada Admin", False)
    account = SocialAccount.objects.get()
    assert account.uid == sandbox.world.persona("ada").account_id


def test_the_account_that_signs_in_is_shown_by_name(client: Client) -> None:
    continue_with_bitbucket(client)
    User.objects.update(name="Somebody")

    page = client.get("/accounts/3rdparty/").content.decode()

    assert "Sign-in with Bitbucket" in page
    assert "Ada Admin" in page


def test_no_token_outlives_the_sign_in(client: Client, sandbox: Sandbox) -> None:
    continue_with_bitbucket(client)

    secrets = [secret for secret in sandbox.tokens.by_secret if len(secret) > 1000]
    sessions = str([session.get_decoded() for session in Session.objects.all()])
    assert secrets
    assert not SocialToken.objects.exists()
    assert not any(secret in sessions for secret in secrets)
    assert not any(secret in str(SocialAccount.objects.get().extra_data) for secret in secrets)


def test_the_same_account_is_the_same_user(client: Client) -> None:
    continue_with_bitbucket(client)
    first = signed_in(client)

    again = Client()
    continue_with_bitbucket(again)

    assert signed_in(again) == first
    assert User.objects.count() == 1


def test_an_e_mail_address_alone_opens_no_account(client: Client, settings: Settings) -> None:
    settings.SIGNUP = "open"
    continue_with_bitbucket(client)
    ada = signed_in(client)
    assert ada is not None
    SocialAccount.objects.all().delete()

    other = Client()
    answer = continue_with_bitbucket(other)

    assert signed_in(other) is None
    assert answer["Location"].startswith("/accounts/3rdparty/signup/")
    assert not SocialAccount.objects.exists()


def test_an_unconfirmed_e_mail_address_is_not_taken_over(
    client: Client, sandbox: Sandbox, settings: Settings
) -> None:
    settings.SIGNUP = "open"
    sandbox.faults.add(r"^/2\.0/user/emails$", status=403)

    continue_with_bitbucket(client)

    assert signed_in(client) is None
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (r"^/2\.0/user$", {"status": 403}),
        (r"^/2\.0/user$", {"status": 500}),
        (r"^/site/oauth2/access_token$", {"status": 400}),
        (r"^/site/oauth2/access_token$", {"body": "[]"}),
        (r"^/site/oauth2/access_token$", {"body": r'{"access_token": "x\r\nX: y"}'}),
        (r"^/2\.0/user$", {"body": '"ada"'}),
        (r"^/2\.0/user$", {"body": '{"account_id": {"a": 1}}'}),
        (r"^/2\.0/user$", {"body": '{"account_id": "%s"}' % ("x" * 500)}),
    ],
)
def test_a_refusal_of_bitbucket_is_a_page(
    client: Client, sandbox: Sandbox, path: str, fault: dict[str, Any]
) -> None:
    sandbox.faults.add(path, **fault)

    answer = continue_with_bitbucket(client)

    assert answer.status_code < 500
    assert signed_in(client) is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/user/emails", '{"values": 5}'),
        ("/user/emails", '{"values": [{"email": 5, "is_confirmed": true}]}'),
        ("/user$", r'{"account_id": "1", "display_name": "\ud800\u0000"}'),
        ("/access_token", '{"access_token": "x", "expires_in": 1e30}'),
    ],
)
def test_strange_answers_of_bitbucket_are_no_fault_of_ours(
    client: Client, sandbox: Sandbox, settings: Settings, path: str, body: str
) -> None:
    settings.SIGNUP = "open"
    sandbox.faults.add(path, body=body)

    assert continue_with_bitbucket(client).status_code < 500


def test_sign_in_is_held_by_the_walls_of_the_transport(client: Client, settings: Settings) -> None:
    settings.CONNECTION_ALLOWED_PRIVATE_HOSTS = frozenset()

    answer = continue_with_bitbucket(client)

    assert answer.status_code < 500
    assert signed_in(client) is None


def test_consent_that_is_refused(client: Client) -> None:
    there = client.post("/accounts/bitbucket_oauth2/login/")["Location"]
    state = parse_qs(urlsplit(there).query)["state"][0]

    answer = client.get(
        "/accounts/bitbucket_oauth2/login/callback/", {"error": "access_denied", "state": state}
    )

    assert answer.status_code in {200, 302}
    assert signed_in(client) is None


def test_a_state_of_another_browser_is_refused(client: Client) -> None:
    there = Client().post("/accounts/bitbucket_oauth2/login/")["Location"]
    state = parse_qs(urlsplit(there).query)["state"][0]

    answer = client.get("/accounts/bitbucket_oauth2/login/callback/", {"code": "x", "state": state})

    assert answer.status_code < 500
    assert signed_in(client) is None


def test_going_to_bitbucket_takes_a_post(client: Client) -> None:
    assert client.get("/accounts/bitbucket_oauth2/login/").status_code == 200


def test_without_a_consumer_there_is_no_button(client: Client, settings: Settings) -> None:
    assert "Continue with Bitbucket" in client.get("/accounts/login/").content.decode()
    settings.BITBUCKET_SIGNIN_CLIENT_ID = ""

    assert "Continue with Bitbucket" not in client.get("/accounts/login/").content.decode()
    assert client.get("/accounts/bitbucket_oauth2/login/").status_code == 404
    assert client.get("/accounts/bitbucket_oauth2/login/callback/").status_code == 404


@pytest.mark.parametrize(
    ("policy", "first", "second"),
    [("open", True, True), ("invited", True, False), ("closed", False, False)],
)
def test_who_may_sign_up(settings: Settings, policy: str, first: bool, second: bool) -> None:
    settings.SIGNUP = policy

    sign_up(Client(), "first@example.com")
    assert User.objects.filter(email="first@example.com").exists() is first
    UserFactory.create()
    sign_up(Client(), "second@example.com")
    assert User.objects.filter(email="second@example.com").exists() is second


@pytest.mark.django_db(transaction=True)
def test_there_is_one_first_user_however_many_come_at_once() -> None:
    together = threading.Barrier(4)

    def first(number: int) -> None:
        client = Client()
        together.wait(5)
        try:
            sign_up(client, f"first{number}@example.com")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(first, range(4)))

    assert User.objects.count() == 1


@pytest.mark.parametrize("policy", ["invited", "closed"])
def test_bitbucket_is_no_way_around_the_policy(
    client: Client, settings: Settings, policy: str
) -> None:
    settings.SIGNUP = policy
    UserFactory.create()

    answer = continue_with_bitbucket(client)

    assert signed_in(client) is None
    assert "by invitation" in answer.content.decode()


def test_an_invitation_lets_somebody_sign_up(
    client: Client, organization: Organization, settings: Settings
) -> None:
    _, token = invite(organization=organization, role=Role.VIEWER, by=Actor.system())

    client.get(f"/join/{token}")
    continue_with_bitbucket(client)

    user = signed_in(client)
    assert Membership.objects.get(user=user).role == Role.VIEWER
    there = f"/o/{organization.slug}/"
    assert client.get("/", follow=True).redirect_chain == [(there, 302)]
    assert client.get("/join/")["Location"] == there


def test_an_invitation_makes_one_account(organization: Organization) -> None:
    UserFactory.create()
    _, token = invite(organization=organization, role=Role.VIEWER, by=Actor.system())
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.get(f"/join/{token}")

    answers = [
        sign_up(browser, f"new{number}@example.com") for number, browser in enumerate(browsers)
    ]

    assert "by invitation" in answers[1].content.decode()
    joined = Membership.objects.filter(role=Role.VIEWER)
    assert joined.get().user.email == "new0@example.com"
    assert not User.objects.filter(email="new1@example.com").exists()


def test_who_signs_up_may_say_the_own_name(client: Client) -> None:
    named = {"name": "Zoe Zinc", "email": "zoe@example.com", "password1": PASSWORD}

    asked = client.get("/accounts/signup/").content.decode()
    client.post("/accounts/signup/", named)

    assert asked.index('name="name"') < asked.index('name="email"') < asked.index('"password1"')
    assert User.objects.get().name == "Zoe Zinc"


def test_an_e_mail_address_has_one_case(client: Client) -> None:
    sign_up(client, "New@Example.COM")
    client.post("/accounts/logout/")

    client.post("/accounts/login/", {"login": "NEW@example.com", "password": PASSWORD})

    user = signed_in(client)
    assert user is not None
    assert user.email == "new@example.com"


def test_mails_do_not_believe_the_host_header(
    client: Client, settings: Settings, mailoutbox: list[Any]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.PUBLIC_URL = "https://tributary.example.com"
    user = UserFactory.create(email="known@example.com")
    client.force_login(user)
    forged = {"host": "elsewhere.example"}

    client.post("/accounts/email/", {"email": "more@example.com", "action_add": ""}, headers=forged)
    for email in (user.email, "unknown@example.com"):
        Client().post("/accounts/password/reset/", {"email": email}, headers=forged)

    assert len(mailoutbox) == 3
    for mail in mailoutbox:
        assert "elsewhere" not in mail.subject + mail.body
        assert "https://tributary.example.com/accounts/" in mail.body


def test_another_host_header_gives_no_further_tries(client: Client, settings: Settings) -> None:
    UserFactory.create(email="known@example.com")
    tried = {"login": "known@example.com", "password": "wrong"}

    said = [
        client.post(
            "/accounts/login/",
            tried,
            headers={"host": f"testserver:{number}"},
            REMOTE_ADDR=f"192.0.2.{number}",
        ).content.decode()
        for number in range(1, 8)
    ]

    assert "Too many" not in said[0]
    assert "Too many" in said[-1]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"email": "x" * 300 + "@example.com", "password1": PASSWORD},
        {"email": "a\0@example.com", "password1": PASSWORD},
        {"email": "a@example.com", "password1": "short"},
        {"email": "a@example.com", "password1": PASSWORD, "name": "n" * 151},
        {"email": "a@example.com", "password1": PASSWORD, "name": "a\0b"},
        {"email": "a@example.com", "password1": "\0" * 20},
    ],
)
def test_sign_ups_that_do_not_fit(client: Client, sent: dict[str, str]) -> None:
    assert client.post("/accounts/signup/", sent).status_code == 200
    assert not User.objects.exists()


@pytest.mark.parametrize("login", ["", "x" * 10_000, "a\0@example.com"])
def test_sign_ins_that_do_not_fit(client: Client, login: str) -> None:
    answer = client.post("/accounts/login/", {"login": login, "password": "x"})

    assert answer.status_code == 200
