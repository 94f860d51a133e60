"""credentials.list among 10,000 connections with 30,000 credentials, beside an empty view."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

from tests.benchmarks import inside
from tests.benchmarks.figures import Figure, Surroundings
from tests.house import House

CONNECTIONS, IN_EACH = 10_000, 3
CLIENTS, SECONDS, TURNS = 4, 2.0, 2
NOWHERE = dict.fromkeys(("url", "api_url", "web_url", "control_url"), "http://127.0.0.1:9")


def credentials_list(around: Surroundings) -> Iterator[Figure]:
    """Statements, then both under load, in turns on the same server."""
    inside.enter(around)
    path, key = prepare()
    yield Figure(measure="statements", value=statements(path, key), at_most=5)
    same = {"SECRET_KEY": "bench-" + "k" * 50, "FERNET_KEYS": "the-key-of-the-bench"}
    more = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.bare", "LOG_LEVEL": "WARNING"}
    house = House(around.folder, NOWHERE, {**around.settings, **same, **more})
    try:
        house.prepare()
        house.open_web()
        address = house.url.removeprefix("http://")
        taken: dict[str, list[float]] = {"/bare": [], path: []}
        for each in (*taken, *list(taken) * TURNS):  # the first turn warms up
            took = load(address, each, key)
            if each in taken:
                taken[each] = [*taken[each], *took]
    finally:
        house.close()
    rate = {name: len(took) / (SECONDS * (TURNS + 1)) for name, took in taken.items()}
    for name, shown in (("/bare", "an empty view"), (path, "credentials.list")):
        yield Figure(measure=f"{shown}: requests", value=rate[name], unit="/s")
        p99 = quantiles(taken[name], n=100)[98] * 1000
        yield Figure(measure=f"{shown}: p99", value=p99, unit="ms")
    yield Figure(measure="share of it", value=rate[path] / rate["/bare"], at_least=0.5)


def prepare() -> tuple[str, str]:
    """The rows, and a key of one organization; the method of one of its connections."""
    from django.core.management import call_command
    from rest_framework_api_key.crypto import KeyGenerator

    from connections.models import Connection, Credential
    from tenants.models import ApiKey, Scope
    from tests.factories import ConnectionFactory, MembershipFactory

    call_command("createcachetable", "-v0")
    owners = MembershipFactory.create_batch(100)
    made = [
        ConnectionFactory.build(organization=owners[n % 100].organization)
        for n in range(CONNECTIONS)
    ]
    Connection.objects.bulk_create(made, batch_size=500)
    rows = [
        Credential(
            connection=one,
            organization_id=one.organization_id,
            method="access_token",
            label=f"T{n}",
        )
        for one in made
        for n in range(IN_EACH)
    ]
    Credential.objects.bulk_create(rows, batch_size=500)
    key, prefix, hashed = KeyGenerator().generate()
    owner = owners[0]
    ApiKey.objects.create(
        organization=owner.organization,
        made_by=owner.user,
        name="bench",
        prefix=prefix,
        hash=hashed,
        scopes=Scope.values,
        role=owner.role,
    )
    return f"/api/connections/{made[0].pk}/credentials.list", key


def statements(path: str, key: str) -> int:
    """What one call sends, when the use of its key was noted a moment ago."""
    from django.conf import settings
    from django.test import Client

    client = Client(headers={"Authorization": f"Bearer {key}"}, SERVER_NAME="127.0.0.1")
    client.get(path)
    with inside.counted() as counted:
        answer = client.get(path)
    assert answer.status_code == 200, (answer.content, settings.ALLOWED_HOSTS)
    assert len(answer.json()["credentials"]) == IN_EACH
    return counted.count


def load(address: str, path: str, key: str) -> list[float]:
    """Seconds that each request took, of a few clients that ask without a pause."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        each = [pool.submit(ask, address, path, key) for _ in range(CLIENTS)]
        return [took for one in each for took in one.result()]


def ask(address: str, path: str, key: str) -> list[float]:
    host, port = address.split(":")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    )
    taken, end = list[float](), time.perf_counter() + SECONDS
    with socket.create_connection((host, int(port))) as line:
        while time.perf_counter() < end:
            begun = time.perf_counter()
            line.sendall(request)
            head, _, body = line.recv(65536).partition(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < size:
                body += line.recv(65536)
            assert b" 200 " in head[:20], head
            taken.append(time.perf_counter() - begun)
    return taken


RUNS = (credentials_list,)
