"""What is found out before the processes start."""

from pathlib import Path

import pytest

from tests.config.test_environment import PRODUCTION
from tests.config.test_start import run

BROKER = ("CELERY_BROKER_URL", "redis://:secret@127.0.0.1:1/0")
DATABASE = ("DATABASE_URL", "postgres://nobody:secret@127.0.0.1:1/none")


@pytest.mark.parametrize(("name", "address"), [BROKER, DATABASE])
@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_server_that_does_not_answer_is_named(
    tmp_path: Path, command: str, name: str, address: str
) -> None:
    keys = {each: PRODUCTION[each] for each in ("SECRET_KEY", "FERNET_KEYS")}

    ended = run("manage.py", command, **keys, VAR_DIR=str(tmp_path), **{name: address})

    assert ended.returncode != 0
    assert f"of {name} cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr
