"""Processes that lack a key end with a sentence, and are not started again and again."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.supervisor import free_port
from tests.config.test_environment import PRODUCTION, ROOT

GUNICORN = ("-m", "gunicorn", "config.wsgi")
CELERY = ("-m", "celery", "-A", "config")
ONE, ANOTHER = "one-key-of-sixteen", "another-of-sixteen"
MAKE_A_SECRET = "from tests.factories import CredentialFactory; CredentialFactory()"


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a process with these settings and no others."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


def web() -> tuple[str, ...]:
    return (*GUNICORN, "--bind", f"127.0.0.1:{free_port(24600)}")


@pytest.mark.parametrize("command", [web(), (*CELERY, "worker"), (*CELERY, "beat")])
def test_a_process_without_its_key_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    ended = run(*command, **PRODUCTION | {"VAR_DIR": str(tmp_path), "SECRET_KEY": ""})

    assert ended.returncode == 3
    assert "Tributary cannot start: SECRET_KEY must be set" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture(scope="module")
def sealed(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that keeps a secret, encrypted with the key ONE."""
    folder = tmp_path_factory.mktemp("sealed")
    settings = {"VAR_DIR": str(folder), "FERNET_KEYS": ONE}
    shutil.copy(furnished / "db.sqlite3", folder)
    run("manage.py", "shell", "-c", MAKE_A_SECRET, **settings).check_returncode()
    return folder


@pytest.mark.parametrize(
    "command", [web(), (*CELERY, "worker"), (*CELERY, "beat"), ("manage.py", "sync", "1")]
)
def test_a_process_with_another_key_names_the_one_that_it_lacks(
    sealed: Path, command: tuple[str, ...]
) -> None:
    ended = run(*command, VAR_DIR=str(sealed), FERNET_KEYS=ANOTHER)

    assert ended.returncode != 0
    assert "Tributary cannot start: FERNET_KEYS lacks a key" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_gunicorn_reads_the_code_once_and_opens_nothing_beside_its_port(tmp_path: Path) -> None:
    told = run(*GUNICORN, "--print-config", VAR_DIR=str(tmp_path)).stdout

    assert re.search(r"control_socket_disable += True", told)
    assert re.search(r"preload_app += True", told)
