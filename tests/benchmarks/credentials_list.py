"""credentials.list among 10,000 connections with 30,000 credentials, beside empty views.

Two views do nothing. The empty one is a view of Django REST framework as this server has it: with
the middleware, the authentication, the permission and the throttle that its settings name for each
view. The aim is of this one. The bare one has the middleware alone, asks for no key and counts
nothing: what is missing to it is what the key, its limit and the rows cost together.
"""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import cycle
from statistics import quantiles
from typing import Any

from tests.benchmarks import inside
from tests.benchmarks.figures import Figure, Surroundings
from tests.house import House

CONNECTIONS, IN_EACH = 10_000, 3
CLIENTS, SECONDS, TURNS = 4, 2.0, 3
KEYS = 16
NOWHERE = dict.fromkeys(("url", "api_url", "web_url", "control_url"), "http://127.0.0.1:9")


def credentials_list(around: Surroundings) -> Iterator[Figure]:
    """Statements, then both under load, in turns on the same server."""
    inside.enter(around)
    path, keys = prepare()
    yield Figure(measure="statements", value=statements(path, keys[0]), at_most=5)
    same = {"SECRET_KEY": "bench-" + "k" * 50, "FERNET_KEYS": "the-key-of-the-bench"}
    more = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.bare.settings", "LOG_LEVEL": "WARNING"}
    house = House(around.folder, NOWHERE, {**around.settings, **same, **more})
    names = {"/bare": "a bare view", "/empty": "an empty view", path: "credentials.list"}
    taken: dict[str, list[float]] = {address: [] for address in names}
    try:
        house.prepare()
        house.open_web()
        for address in names:
            load(house.url, address, keys)  # warms up
        for address in list(names) * TURNS:
            taken[address] += load(house.url, address, keys)
    finally:
        house.close()
    rate = {address: len(took) / (SECONDS * TURNS) for address, took in taken.items()}
    for address, shown in names.items():
        yield Figure(measure=f"{shown}: requests", value=rate[address], unit="/s")
        p99 = quantiles(taken[address], n=100)[98] * 1000
        yield Figure(measure=f"{shown}: p99", value=p99, unit="ms")
    share = rate[path] / rate["/empty"]
    yield Figure(measure="share of an empty view's", value=share, at_least=0.5)
    yield Figure(measure="share of a bare view's", value=rate[path] / rate["/bare"])


def prepare() -> tuple[str, list[str]]:
    """The rows, and keys of one organization; the method of one of its connections."""
    from django.core.management import call_command

    from connections.models import Connection, Credential
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
            quota_subject=f"subject {one.identity} {n}",
            secret_hash=f"hash {one.identity} {n}",
        )
        for one in made
        for n in range(IN_EACH)
    ]
    Credential.objects.bulk_create(rows, batch_size=500)
    use_quotas(made[0])
    return f"/api/connections/{made[0].pk}/credentials.list", [
        key_of(owners[0]) for _ in range(KEYS)
    ]


def use_quotas(connection: Any) -> None:
    """Each of its credentials has asked in every bucket of the window."""
    from django.conf import settings
    from django.utils.timezone import now

    from connections.models import Credential
    from ingestion.models import Quota, QuotaBucket
    from ingestion.quota import BUCKETS

    bucket = timedelta(seconds=settings.QUOTA_WINDOW / BUCKETS)
    for credential in Credential.objects.filter(connection=connection):
        quota = Quota.objects.create(subject=credential.quota_subject, limit=1000)
        QuotaBucket.objects.bulk_create(
            QuotaBucket(quota=quota, starts_at=now() - bucket * n, booked=5) for n in range(BUCKETS)
        )


def key_of(owner: Any) -> str:
    """A key of this owner's organization with every scope."""
    from rest_framework_api_key.crypto import KeyGenerator

    from tenants.models import ApiKey, Scope

    key, prefix, hashed = KeyGenerator().generate()
    ApiKey.objects.create(
        organization=owner.organization,
        made_by=owner.user,
        name="bench",
        prefix=prefix,
        hash=hashed,
        scopes=Scope.values,
        role=owner.role,
    )
    return key


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


def load(url: str, path: str, keys: list[str]) -> list[float]:
    """Seconds that each request took, of a few clients that ask without a pause. They take turns
    with the keys, since each key may ask 1,000 times a minute.
    """
    address = url.removeprefix("http://")
    with ThreadPoolExecutor(CLIENTS) as pool:
        each = [pool.submit(ask, address, path, keys[n::CLIENTS]) for n in range(CLIENTS)]
        return [took for one in each for took in one.result()]


def ask(address: str, path: str, keys: list[str]) -> list[float]:
    host, port = address.split(":")
    start = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer"
    requests = cycle([f"{start} {key}\r\n\r\n".encode() for key in keys])
    taken, end = list[float](), time.perf_counter() + SECONDS
    with socket.create_connection((host, int(port))) as line:
        while time.perf_counter() < end:
            begun = time.perf_counter()
            line.sendall(next(requests))
            head, _, body = line.recv(65536).partition(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < size:
                body += line.recv(65536)
            assert b" 200 " in head[:20], head
            taken.append(time.perf_counter() - begun)
    return taken


RUNS = (credentials_list,)
