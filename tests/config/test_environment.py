"""A missing or wrong setting stops the start with a sentence that names it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.demo.bitbucket import leave

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "SECRET_KEY": "k" * 60,
    "FERNET_KEYS": f"{'1' * 40}, {'2' * 40}",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "CACHE_URL": "redis://127.0.0.1:1/1",
    "PUBLIC_URL": "https://tributary.example.com",
}


def start(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start a process with these settings and no others."""
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(folder), **settings}
    return subprocess.run(
        [sys.executable, "manage.py", "diffsettings", "--default", "django.conf.global_settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", ["SECRET_KEY", "FERNET_KEYS"])
def test_production_must_be_given_its_keys(tmp_path: Path, name: str) -> None:
    ended = start(tmp_path, **{**PRODUCTION, name: ""})

    assert ended.returncode != 0
    assert name in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "keys.env").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "nonsense"),
        ("CELERY_BROKER_URL", "nonsense"),
        ("CACHE_URL", "memcached://x"),
        ("EMAIL_URL", "pigeon://x"),
        ("PUBLIC_URL", "tributary.example.com"),
        ("PUBLIC_URL", "https://tributary.example.com:99999"),
        ("PUBLIC_URL", "https://user:password@tributary.example.com"),
        ("PUBLIC_URL", "https://example.com/tributary"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1"),
        ("FERNET_KEYS", "short"),
        ("SECRET_KEY", "short"),
        ("DEFAULT_FROM_EMAIL", "nonsense"),
        ("BITBUCKET_CLOUD_API_URL", "api.bitbucket.org/2.0"),
        ("CONNECTION_ALLOWED_PRIVATE_HOSTS", "localhost"),
        ("CONNECTION_ALLOWED_PRIVATE_HOSTS", "https://localhost:443"),
        ("SIGNUP", "maybe"),
        ("QUOTA_LIMIT", "many"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("SYNC_LEASE", "0"),
        ("SYNC_SLOTS", "0"),
        ("SYNC_FETCHERS", "0"),
        ("SYNC_SLICE", "-1"),
        ("SYNC_RETRY_DELAYS", "10, -5"),
        ("SYNC_RETRY_DELAYS", "soon"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:http/none"),
        ("CELERY_BROKER_URL", "redis://127.0.0.1:bad/1"),
        ("CELERY_BROKER_URL", "amqp://127.0.0.1:1;amqp://127.0.0.1:bad"),
        ("CACHE_URL", "redis://127.0.0.1:99999/1"),
        ("EMAIL_URL", "smtp://host:bad"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("VAR_DIR", "/proc/nowhere"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    ended = start(tmp_path, **{**PRODUCTION, name: value})

    assert ended.returncode != 0
    assert ended.stderr.startswith(f"Tributary cannot start: {name} ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", ["OAUTH", "SIGNIN"])
@pytest.mark.parametrize(("given", "missing"), [("ID", "SECRET"), ("SECRET", "ID")])
def test_half_a_consumer_is_none(tmp_path: Path, kind: str, given: str, missing: str) -> None:
    half = {f"BITBUCKET_{kind}_CLIENT_{given}": "x"}

    ended = start(tmp_path, **PRODUCTION, **half)

    assert ended.stderr.startswith(
        f"Tributary cannot start: BITBUCKET_{kind}_CLIENT_{missing} must be set"
    )


def test_lists_may_have_blanks_and_hosts_capitals(tmp_path: Path) -> None:
    lists = {
        "ALLOWED_HOSTS": "a.example, b.example",
        "CONNECTION_ALLOWED_PRIVATE_HOSTS": "Bitbucket.Internal:7990, [::1]:80",
    }

    started = start(tmp_path, **PRODUCTION, **lists)

    assert "ALLOWED_HOSTS = ['a.example', 'b.example']" in started.stdout
    assert "'bitbucket.internal:7990'" in started.stdout
    assert "'[::1]:80'" in started.stdout
    assert "2222'" in started.stdout
    assert "' 2222" not in started.stdout


def test_no_environment_shows_error_pages_with_what_was_typed(tmp_path: Path) -> None:
    started = start(tmp_path, DEBUG="true")

    assert started.returncode == 0
    assert "\nDEBUG = " not in started.stdout  # as Django has it: off


def test_no_host_that_is_named_means_the_public_one(tmp_path: Path) -> None:
    started = start(tmp_path, **PRODUCTION, ALLOWED_HOSTS=" , ")

    assert "ALLOWED_HOSTS = ['tributary.example.com']" in started.stdout


def test_a_worker_with_one_slot_still_takes_syncs(tmp_path: Path) -> None:
    started = start(tmp_path, **PRODUCTION, WORKER_CONCURRENCY="1")

    assert "SYNC_SLOTS = 1 " in started.stdout


def test_counts_of_limits_are_not_pushed_out_of_the_cache(tmp_path: Path) -> None:
    started = start(tmp_path, **{**PRODUCTION, "CACHE_URL": ""})

    assert "'MAX_ENTRIES': 100000" in started.stdout


def test_an_embedded_installation_makes_its_keys_once(tmp_path: Path) -> None:
    assert start(tmp_path).returncode == 0
    made = (tmp_path / "keys.env").read_text()

    assert start(tmp_path).returncode == 0

    assert (tmp_path / "keys.env").read_text() == made
    assert stat.S_IMODE((tmp_path / "keys.env").stat().st_mode) == 0o600


def test_the_folder_with_sessions_and_keys_is_its_owners_alone(tmp_path: Path) -> None:
    assert start(tmp_path / "new" / "var").returncode == 0

    assert stat.S_IMODE((tmp_path / "new" / "var").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:1/2.0"),
        ({"BITBUCKET_CLOUD_API_URL": "http://127.0.0.1:2/2.0"}, "http://127.0.0.1:2/2.0"),
        (PRODUCTION, "https://api.bitbucket.org/2.0"),
    ],
)
def test_a_demos_folder_leads_to_its_bitbucket(
    tmp_path: Path, settings: dict[str, str], address: str
) -> None:
    leave(tmp_path, {"BITBUCKET_CLOUD_API_URL": "http://127.0.0.1:1/2.0"})

    ended = start(tmp_path, **settings)

    assert f"BITBUCKET_CLOUD_API_URL = '{address}'" in ended.stdout
