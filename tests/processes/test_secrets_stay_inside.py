"""A whole run, and then a search for each secret in all that was said, written and sent."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from config.demo import connections
from config.demo.api import Api, Refused
from tests.connections.consenting import consent_at
from tests.house import House, addresses
from tests.processes.person import Person
from tests.sandbox import Sandbox

PASSWORD = "correct horse battery staple"
OWN = {"SECRET_KEY": "secret-key-of-this-run-" + "k" * 40, "FERNET_KEYS": "fernet-key-of-this-run"}
WRONG = "ATCTT3xFfGN0pasted0by0mistake0a1b2c3d=00000000"


@pytest.fixture(scope="module")
def house(
    world: Sandbox, furnished: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A house that says all it can in its logs."""
    made = House(
        tmp_path_factory.mktemp("secrets"), addresses(world), {"LOG_LEVEL": "DEBUG", **OWN}
    )
    try:
        made.prepare(furnished)
        made.open_web()
        yield made
    finally:
        made.close()


def test_no_secret_in_answers_pages_logs_messages_or_tables(house: House, world: Sandbox) -> None:
    secrets = {"password": PASSWORD, "wrong": WRONG, **OWN}
    secrets["workspace token"] = world.tokens.workspace("globex")
    secrets["lacking token"] = world.tokens.workspace("globex", ["repository", "account"])
    secrets["api token"] = world.tokens.api_token("ada@example.com")
    house.errand("-m", "tests.newcomer", "ada@example.com", PASSWORD, "Watertight")
    key = ("create_api_key", "--organization", "watertight", "--name", "k", "--scopes", "all")
    secrets["api key"] = house.manage(*key).strip()
    person = Person(house, "ada@example.com", PASSWORD)
    api = Api(house.url, secrets["api key"])
    answers = call_methods(api, secrets)
    begin_in_browser(person, secrets)
    consent(person, secrets)

    messages = waiting_messages(house.folder / "broker")
    house.worker()
    house.beat()
    made = connections.connect(api, "Globex", "globex", secrets["workspace token"])
    connections.sync(api, made["id"])
    answers += call_on(api, made["id"], secrets)
    person.walk("/o/watertight/")
    secrets |= minted(world)

    assert len(person.seen) > 30
    assert "run_verification" in messages
    said = {
        "API": json.dumps(answers),
        "pages": "\n".join(person.seen.values()),
        "logs": house.logs(),
        "messages": messages,
        "tables": house.manage("dumpdata"),
        "database": (house.folder / "db.sqlite3").read_bytes().decode("latin-1"),
        "write-ahead log": (house.folder / "db.sqlite3-wal").read_bytes().decode("latin-1"),
    }
    assert found(secrets, said) == []
    said["pages"] += WRONG  # the search itself can fail
    assert found(secrets, said) == [("wrong", "pages")]


def found(secrets: dict[str, str], said: dict[str, str]) -> list[tuple[str, str]]:
    """Which secret stands where, as it is or in base64 as Basic would send it."""
    return [
        (name, place)
        for name, secret in secrets.items()
        for place, text in said.items()
        if secret in text or base64.b64encode(secret.encode()).decode().rstrip("=") in text
    ]


def call_methods(api: Api, secrets: dict[str, str]) -> list[object]:
    """Calls that are refused, each with a secret in its body."""
    answers: list[object] = []
    for name in ("wrong", "lacking token"):
        try:
            connections.connect(api, name, "globex", secrets[name])
        except Refused as refusal:
            answers.append(refusal.answer)
    assert len(answers) == 2
    return answers


def call_on(api: Api, connection: int, secrets: dict[str, str]) -> list[object]:
    """Credentials of a connection: made, listed, verified; and all that can be read."""
    credentials = f"connections/{connection}/credentials"
    made = api.post(
        f"{credentials}.create",
        settings={"username": "ada@example.com"},
        secrets={"password": secrets["api token"]},
    )
    return [
        made,
        api.get(f"{credentials}.list"),
        api.post("connections.verify", id=connection),
        api.get(f"connections.info/{connection}"),
        api.get(f"connections/{connection}/syncs.list"),
        api.get("connections.list", state="all"),
    ]


def begin_in_browser(person: Person, secrets: dict[str, str]) -> None:
    """Tokens typed into the wizard: refused, lacking, and by another method."""
    new = "/o/watertight/connections/new/bitbucket_cloud"
    for name in ("wrong", "lacking token"):
        person.post(f"{new}/access_token/", workspace="globex", api_token=secrets[name])
    person.post(
        f"{new}/api_token/",
        workspace="acme",
        username="ada@example.com",
        password=secrets["api token"],
    )


def consent(person: Person, secrets: dict[str, str]) -> None:
    """The way to Bitbucket's consent page and back; the code and the state are secrets too."""
    there = person.leave("/o/watertight/connections/new/bitbucket_cloud/consent/")
    back = consent_at(there, "ada")
    secrets |= {"code": back["code"]}
    query = "&".join(f"{name}={requests.utils.quote(value)}" for name, value in back.items())
    page = person.get(f"/consent/bitbucket/?{query}")
    assert "You are at Bitbucket as" in page
    assert dict(parse_qsl(urlsplit(there).query))["state"] == back["state"]


def waiting_messages(folder: Path) -> str:
    """The messages that stand in the queues, with their bodies in the clear."""
    texts = []
    for path in folder.rglob("*.msg"):
        message = json.loads(path.read_bytes())
        texts.append(json.dumps(message) + base64.b64decode(message["body"]).decode())
    assert texts
    return "\n".join(texts)


def minted(world: Sandbox) -> dict[str, str]:
    """The tokens that the consent made."""
    tokens = {
        f"oauth {number}": secret
        for number, (secret, token) in enumerate(world.tokens.by_secret.items())
        if "oauth" in token.kind
    }
    refresh = {f"refresh {n}": s for n, s in enumerate(world.consumers.refresh_tokens)}
    assert tokens
    assert refresh
    return tokens | refresh
