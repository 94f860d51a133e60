"""The demo: started, used, ended; started again with its data; and the main job at one go."""

import re
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.house import wait_until
from tests.processes.commands import end_quickly, move_in, start, wait_for_block

PORT = str(24000 + secrets.randbelow(90))  # other tests of this kind may run on this machine
KEPT = {"Engineering workspace", "Globex workspace", "Platform workspace"}


def demo(folder: Path, *options: str, **settings: str) -> subprocess.Popen[str]:
    return start(folder, "demo", "--port", PORT, *options, **settings)


@pytest.fixture(autouse=True)
def _last_words(tmp_path: Path) -> Iterator[None]:
    """Whoever reads that a test failed reads what the demo said, to its end."""
    yield
    for path in sorted(tmp_path.glob("out*")):
        print(f"--- {path.name}\n{path.read_text()}")


def block(folder: Path, running: subprocess.Popen[str]) -> dict[str, str]:
    """Wait for the block that the demo prints; what stands in it."""
    text = wait_for_block(folder, running)
    names = {"link": "Sign in as its owner", "url": "Tributary  ", "key": "API key, for 24 hours"}
    return {k: re.search(rf"{name}\s+(\S+)", text)[1] for k, name in names.items()}  # type: ignore[index]


def names(shown: dict[str, str]) -> set[str]:
    """The connections, as the API tells them with the key of this start."""
    answer = requests.get(
        f"{shown['url']}/api/connections.list?state=all",
        headers={"Authorization": f"Bearer {shown['key']}"},
        timeout=10,
    )
    return {each["name"] for each in answer.json()["connections"]}


def rename_acme(folder: Path) -> None:
    """As its owner may on the page of its settings."""
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database, database:
        database.execute("UPDATE tenants_organization SET name = 'Acme Inc' WHERE slug = 'acme'")


def count(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        found: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


def sync_beside(folder: Path) -> str:
    """Sync the first connection by a command in the demo's folder; what it printed."""
    beside = start(folder, "sync", "1")
    assert beside.wait(timeout=120) == 0, (folder / "out").read_text()
    return (folder / "out").read_text()


def test_a_demo_shows_its_data_ends_and_keeps_it(tmp_path: Path) -> None:
    running = demo(tmp_path)
    first = block(tmp_path, running)
    assert names(first) == KEPT
    page = requests.get(first["link"], timeout=20)
    assert page.url.endswith("/o/acme/")
    assert "Simulated Bitbucket" in page.text
    end_quickly(running)

    rename_acme(tmp_path)
    running = demo(tmp_path)
    second = block(tmp_path, running)

    assert names(second) == KEPT
    assert "requests to Bitbucket" in sync_beside(tmp_path)
    refused = requests.get(
        f"{second['url']}/api/connections.list",
        headers={"Authorization": f"Bearer {first['key']}"},
        timeout=10,
    )
    assert refused.status_code == 401
    assert requests.get(first["link"], timeout=10).status_code == 404
    end_quickly(running)


def test_a_first_start_that_was_interrupted_is_taken_up(tmp_path: Path, furnished: Path) -> None:
    ready = move_in(tmp_path, furnished)
    running = demo(tmp_path, **ready)
    out = tmp_path / "out"
    wait_until(lambda: "Connecting the workspace acme" in out.read_text(), seconds=120)
    wait_until(lambda: count(tmp_path, "connections_connection") == 1, seconds=20)
    end_quickly(running)

    running = demo(tmp_path, **ready)
    shown = block(tmp_path, running)

    assert names(shown) == KEPT
    assert count(tmp_path, "ingestion_sync") == 2
    assert count(tmp_path, "ingestion_sync WHERE finished_at IS NULL") == 0
    end_quickly(running)


def test_the_main_job_at_one_go(tmp_path: Path, furnished: Path) -> None:
    somebodys = {"DATABASE_URL": "postgres://127.0.0.1:1/x", "CACHE_URL": "redis://127.0.0.1:1"}
    keys = {"SECRET_KEY": "somebody's-own-secret-key", "FERNET_KEYS": "somebody's-own-key"}
    static = {"STATIC_ROOT": str(furnished / "static")}
    running = demo(tmp_path, "--once", **somebodys, **keys, **static)

    code = running.wait(timeout=180)
    out = (tmp_path / "out").read_text()

    assert code == 0, out
    assert "checks pass" in out
    assert re.search(r"[1-9] listed", out)
    assert " 0 listed" not in out
    assert re.search(r"syncs.start, until its end +\d+\.\d\d s", out)
    assert not (tmp_path / "db.sqlite3").exists()
