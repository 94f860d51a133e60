"""Workers that need one authorization at once: `python -m tests.refreshers <seconds>`.

Prints how many different tokens they got, how long that took, and how long the slowest write of
somebody else took meanwhile. `<seconds>` is how long the token endpoint takes.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import django
import requests

PROCESSES, THREADS = 4, 5
CALLBACK = "http://127.0.0.1:1/consent/bitbucket/"


def main() -> None:
    """Make an authorization that has run out, let everybody at it, and write beside them."""
    grant = expired_grant()
    slow_token_endpoint(float(sys.argv[1]))
    begin = time.time() + 6  # when all processes have started
    command = [sys.executable, "-m", "tests.refreshers", "--grant", str(grant), str(begin)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    slowest = slowest_write(begin, workers)
    ended = time.time()
    tokens = {token for each in workers for token in json.loads(output_of(each))}
    told = {"tokens": len(tokens), "seconds": ended - begin, "slowest": slowest}
    print(json.dumps(told))


def expired_grant() -> int:
    from django.utils.timezone import now

    from connections.connectors import connector
    from connections.models import Grant
    from tenants.models import Organization
    from tests.connections.consenting import consent_at

    dance = connector("bitbucket_cloud").authorizations
    assert dance is not None
    back = consent_at(dance.authorize_url(state="s", redirect_uri=CALLBACK), "ada")
    tokens = dance.exchange(code=back["code"], redirect_uri=CALLBACK)
    made: Grant = Grant.objects.create(
        organization=Organization.objects.create(name="Refreshing", slug="refreshing"),
        connector="bitbucket_cloud",
        consumer=dance.consumer,
        secrets={"access_token": tokens.access_token, "refresh_token": tokens.refresh_token},
        expires_at=now() - timedelta(seconds=1),
    )
    return int(made.pk)


def slow_token_endpoint(seconds: float) -> None:
    from django.conf import settings

    fault = {"path": "/access_token", "delay": seconds}
    address = f"{settings.BITBUCKET_CLOUD_WEB_URL}/control/faults"
    requests.post(address, json=fault, timeout=5).raise_for_status()


def slowest_write(begin: float, workers: list[subprocess.Popen[str]]) -> float:
    """Write ten times a second until all workers have ended; the longest that one write took."""
    from tenants.models import Organization

    slowest = 0.0
    while any(each.poll() is None for each in workers):
        before = time.perf_counter()
        Organization.objects.update(name=f"Written at {time.time()}")
        if time.time() > begin:
            slowest = max(slowest, time.perf_counter() - before)
        time.sleep(0.1)
    return slowest


def output_of(worker: subprocess.Popen[str]) -> str:
    assert worker.returncode == 0, "A worker failed."
    assert worker.stdout is not None
    return worker.stdout.read()


def refresh(grant: int, begin: float) -> list[str]:
    """What this process's threads get, all at the given time."""
    from django.db import connection

    from connections.models import Grant
    from connections.services.grants import access_token

    def ask(_: Any) -> str:
        row = Grant.objects.get(pk=grant)
        time.sleep(max(0.0, begin - time.time()))
        try:
            return access_token(row)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(ask, range(THREADS)))


if __name__ == "__main__":
    django.setup()
    if "--grant" in sys.argv:
        print(json.dumps(refresh(int(sys.argv[-2]), float(sys.argv[-1]))))
    else:
        main()
