"""`manage.py run`: started under an address of the operator's, and ended."""

from pathlib import Path

import requests

from config.supervisor import free_port
from tests.processes.commands import end_quickly, move_in, start, wait_for_block

HOST = "tributary.example.com"


def test_it_answers_under_the_address_that_is_set(tmp_path: Path, furnished: Path) -> None:
    port = free_port(24500)
    ready = move_in(tmp_path, furnished)
    running = start(tmp_path, "run", "--port", str(port), PUBLIC_URL=f"http://{HOST}", **ready)

    block = wait_for_block(tmp_path, running)
    address = f"http://127.0.0.1:{port}/accounts/login/"
    answer = requests.get(address, headers={"Host": HOST}, timeout=20)
    refused = requests.get(address, timeout=20)
    end_quickly(running)

    assert f"Tributary is at http://{HOST}" in block
    assert answer.status_code == 200
    assert refused.status_code == 400
