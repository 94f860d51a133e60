"""docs/operate.md names every setting."""

from pathlib import Path

from tests.config.test_environment import ROOT
from tests.config.test_start import run

OF_THE_DEMO = {"DEMO_KEY", "SANDBOX_CONTROL_URL"}
READ = """
from config.environment import Environment
from unittest.mock import patch

names, get_value = [], Environment.get_value
def remember(self, var, *args, **kwargs):
    names.append(var)
    return get_value(self, var, *args, **kwargs)
with patch.object(Environment, "get_value", remember):
    import config.settings
print(*names)
"""


def test_every_setting_that_is_read_is_described(tmp_path: Path) -> None:
    described = (ROOT / "docs" / "operate.md").read_text()

    names = set(run("-c", READ, VAR_DIR=str(tmp_path)).stdout.split())

    assert "SYNC_LEASE" in names
    assert {name for name in names - OF_THE_DEMO if f"`{name}`" not in described} == set()
