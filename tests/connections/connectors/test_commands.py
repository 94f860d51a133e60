"""The command of each check, as it stands once the secret is put in."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from connections.connectors import connector
from connections.connectors.base import Entry
from connections.connectors.bitbucket_cloud.entrance import masked, secret_of
from tests.connections.conftest import api_token_entry, token_entry
from tests.sandbox import Sandbox
from tests.sandbox.tokens import Tokens

pytestmark = pytest.mark.django_db
CLOUD, PIPELINES = "bitbucket_cloud", "bitbucket_pipelines"


def by_consent(tokens: Tokens) -> Entry:
    """What an authorization sends: a Bearer, as an access token is."""
    secrets = {"access_token": tokens.workspace("acme")}
    return Entry(method="oauth2", settings={"workspace": "acme"}, secrets=secrets)


def of_project(tokens: Tokens) -> Entry:
    return token_entry(tokens.project("acme", next(iter(tokens.world.workspaces["acme"].projects))))


WAYS: list[tuple[str, Callable[[Tokens], Entry]]] = [
    (CLOUD, by_consent),
    (CLOUD, lambda tokens: token_entry(tokens.workspace("acme"))),
    (CLOUD, of_project),
    (CLOUD, lambda tokens: token_entry(tokens.repository("acme", "api"), repository="api")),
    (CLOUD, lambda tokens: api_token_entry(tokens.api_token("ada@example.com"))),
    (PIPELINES, lambda tokens: token_entry(tokens.workspace("acme"))),
    (PIPELINES, lambda tokens: api_token_entry(tokens.api_token("ada@example.com"))),
]


def test_every_command_of_every_way_in_runs_as_it_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    commands, statuses, ways = [], [], set()
    for key, make in WAYS:
        kind, entry = connector(key), make(sandbox.tokens)
        secret = secret_of(entry)
        every = [stream.key for stream in kind.streams]
        for check in kind.verify(entry, streams=every).checks:
            if check.status is None:  # no token of this kind can do it: nothing was asked
                continue
            assert secret not in check.curl
            commands.append(check.curl.replace(masked(secret), secret))
            statuses.append(str(check.status))
            ways.add((key, check.name))

    # Settings of curl's own, so that the commands stay what they are.
    quiet = 'silent\noutput = "/dev/null"\nwrite-out = "%{http_code}\\n"\n'
    (tmp_path / ".curlrc").write_text(quiet)
    ran = subprocess.run(
        ["sh", "-e", "-c", "\n".join(commands)],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CURL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split() == statuses
    assert set(statuses) <= {"200", "403"}
    declared = {(key, one.name) for key in (CLOUD, PIPELINES) for one in connector(key).checks}
    assert ways == declared
