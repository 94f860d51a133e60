"""`make setup`: which Python it takes, and what it does with a `.venv` of another one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.config.test_environment import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The Makefile, with nothing to install."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements-dev.txt").touch()
    return tmp_path


def setup(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", f"PYTHON3={python}", "setup"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_python_that_is_too_old_makes_nothing(folder: Path) -> None:
    ended = setup(folder, "false")  # it answers the question as an old Python does

    assert ended.returncode != 0
    assert "Tributary needs Python 3.11 or later" in ended.stdout
    assert not (folder / ".venv").exists()


def test_what_an_old_python_left_is_made_anew(folder: Path) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(shutil.which("false") or "")

    setup(folder, "true")

    assert not (folder / ".venv").exists()
