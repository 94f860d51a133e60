"""No organization reaches into another: every address, every API method, every task.

Routes and tasks are found, not listed. A new one whose ids or body this file does not know fails
its test until it is named here. A member's own visit is the control: it must not answer 404.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.timezone import now

from config.celery import app
from connections.models import Verification
from connections.services.webhook_secrets import make_secret
from ingestion.models import Delivery, State, Sync
from tenants.authentication import ANY
from tests.factories import DeliveryFactory, SyncFactory, WebhookSubscriptionFactory
from tests.sandbox import Sandbox
from tests.worlds import World, make_world

pytestmark = pytest.mark.django_db
NO_ROW = 2**62
PREFIX = "o/<slug:organization>/"
Pick = Callable[[World], Any]

# Which row `pk` means, by the beginning of the route's name: the longest that fits.
PK: dict[str, Pick] = {
    "connection": lambda world: world.connection.pk,
    "connection_restore": lambda world: world.deleted.pk,
    "connection_finish": lambda world: world.pending.pk,
    "consent_renew": lambda world: world.connection.pk,
    "credential": lambda world: world.connection.pk,
    "link_": lambda world: world.connection.pk,
    "sync": lambda world: world.sync.pk,
    "sync_start": lambda world: world.connection.pk,
    "pull_request": lambda world: world.pull_request.pk,
    "pipeline": lambda world: world.pipeline.pk,
    "invitation_": lambda world: world.invitation.pk,
    "member_": lambda world: world.viewer.pk,
    "member_leave": lambda world: world.owner.pk,
    "api_key_": lambda world: world.api_key.pk,
    "access_key_": lambda world: world.access_key.pk,
    "connections.info": lambda world: world.connection.pk,
    "credentials.info": lambda world: world.credential.pk,
    "delivery": lambda world: world.delivery.pk,
    "deliveries.info": lambda world: world.delivery.pk,
    "syncs.info": lambda world: world.sync.pk,
}
# Other parts of addresses that name rows, and those that name none.
ROWS: dict[str, Pick] = {
    "draft": lambda world: world.draft.public_id,
    "rotation": lambda world: world.rotation.public_id,
    "credential": lambda world: world.credential.pk,
    "grant": lambda world: world.grant.pk,
    "link": lambda world: world.link.pk,
    "connection_id": lambda world: world.connection.pk,
}
CONSTANTS = {"connector": "bitbucket_cloud", "method": "access_token", "type": "bitbucket_cloud"}

# What a method is sent beside its address. Values that are functions are ids of rows.
BODIES: dict[str, dict[str, Any]] = {
    "connections.create": {
        "type": "bitbucket_cloud",
        "name": "made",
        "settings": {"workspace": "acme"},
    },
    "connections.update": {"id": PK["connection"], "name": "renamed"},
    "connections.verify": {"id": PK["connection"], "credential_id": ROWS["credential"]},
    "connections.link": {"id": PK["connection"]},
    "connections.disable": {"id": PK["connection"]},
    "connections.enable": {"id": PK["connection"]},
    "connections.delete": {"id": PK["connection"]},
    "credentials.create": {"method": "access_token", "secrets": {"api_token": "ATCTT-none"}},
    "credentials.update": {"id": ROWS["credential"], "label": "renamed"},
    "credentials.delete": {"id": ROWS["credential"]},
    "credentials.verify": {"id": ROWS["credential"]},
    "credentials.disable": {"id": ROWS["credential"]},
    "credentials.enable": {"id": ROWS["credential"]},
    "webhooks.register": {},
    "webhooks.remove": {},
    "syncs.start": {},
    "syncs.cancel": {"id": PK["sync"]},
    "repositories.select": {"ids": lambda world: [world.repository.pk], "selected": True},
    "deliveries.replay": {"id": PK["deliveries.info"]},
    "syncs.retry": {"id": PK["sync"]},
    "syncs.fetchMissing": {},
    "records.list": {"table": "pull_requests"},
    "records.export": {"table": "pull_requests", "format": "jsonl"},
}

# Tasks that run outside of any organization, and the row that each other one takes.
OUTSIDE = {
    "ingestion.tasks.tick",
    "ingestion.tasks.sweep_quotas",
    "ingestion.tasks.sweep_details",
    "ingestion.tasks.sweep_deliveries",
    "ingestion.tasks.purge_deleted",
    "connections.tasks.verify_due",
    "connections.tasks.watch_expiry",
    "connections.tasks.erase_expired_drafts",
    "tenants.tasks.sweep_idempotent_calls",
    "tenants.tasks.erase_old_events",
}


@dataclass(frozen=True)
class Route:
    """One address of the application."""

    path: str
    name: str
    parts: tuple[str, ...]
    view: Any
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.path}"

    @property
    def methods(self) -> list[str]:
        return [m for m in ("get", "post") if m in self.allowed and hasattr(self.view, m)]

    @property
    def rows(self) -> list[str]:
        """The parts of the address that name rows."""
        return [p for p in self.parts if p not in CONSTANTS and p != "organization"]

    def pick(self, part: str, world: World) -> Any:
        """What this part of the address is for that world's row."""
        if part != "pk":
            return ROWS[part](world)
        fitting = [start for start in PK if self.name.startswith(start)]
        assert fitting, f"Say in PK which row {self} means."
        return PK[max(fitting, key=len)](world)

    def address(self, slug: str, worlds: dict[str, World]) -> str:
        """The address with each row taken from the world given for it."""
        path = self.path
        for part in self.parts:
            value = (
                slug
                if part == "organization"
                else CONSTANTS.get(part) or self.pick(part, worlds[part])
            )
            path = _fill(path, part, str(value))
        return f"/{path}"


def _fill(path: str, part: str, value: str) -> str:
    before, _, rest = path.partition(f":{part}>")
    return before.rpartition("<")[0] + value + rest


def _walk(patterns: list[Any], before: str = "") -> Iterator[Route]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
            parts = tuple(each.partition(">")[0] for each in path.split(":")[1:])
            options = getattr(pattern.callback, "view_initkwargs", {})
            allowed = options.get("http_method_names") or getattr(view, "http_method_names", ())
            yield Route(path, pattern.name or "", parts, view, tuple(allowed))


ROUTES = list(_walk(get_resolver().url_patterns))
PAGES = [
    pytest.param(route, method, id=f"{route} {method}")
    for route in ROUTES
    if route.path.startswith(PREFIX)
    for method in route.methods
]
METHODS = [
    pytest.param(route, method, id=f"{route.name} {method}")
    for route in ROUTES
    if route.path.startswith("api/")
    for method in route.methods
]
app.loader.import_default_modules()
TASKS = sorted(name for name in app.tasks if not name.startswith("celery."))


@pytest.fixture
def own(sandbox: Sandbox) -> World:
    return make_world("our-own")


@pytest.fixture
def foreign(own: World) -> World:
    return make_world("foreign-one")


def mixtures(parts: list[str], own: World, foreign: World) -> Iterator[dict[str, World]]:
    """Each way to take at least one row from the foreign world."""
    for worlds in product((own, foreign), repeat=len(parts)):
        if foreign in worlds:
            yield dict(zip(parts, worlds, strict=True))


def test_the_walk_finds_what_there_is() -> None:
    names = {param.values[0].name for param in PAGES + METHODS}

    assert {"overview", "members", "sync_cancel", "credentials.create", "records.list"} <= names
    assert "connections.tasks.run_verification" in TASKS


@pytest.mark.parametrize(("route", "method"), PAGES)
def test_pages(route: Route, method: str, own: World, foreign: World, client: Client) -> None:
    client.force_login(own.user)
    before = foreign.snapshot()
    elsewhere = route.address(foreign.organization.slug, dict.fromkeys(route.rows, foreign))
    addresses = [elsewhere] + [
        route.address(own.organization.slug, worlds)
        for worlds in mixtures(route.rows, own, foreign)
    ]

    for address in addresses:
        assert getattr(client, method)(address).status_code == 404, address
    assert foreign.snapshot() == before

    home = route.address(own.organization.slug, dict.fromkeys(route.rows, own))
    answer = getattr(client, method)(home)
    assert answer.status_code not in {403, 404, 405, 500}, "The control must find something."
    assert foreign.mark not in answer.content.decode()


@pytest.mark.parametrize(("route", "method"), METHODS)
def test_api_methods(route: Route, method: str, own: World, foreign: World) -> None:
    client = Client(headers={"Authorization": f"Bearer {own.key}"})
    before = foreign.snapshot()
    body = _body(route, method)
    named = [name for name, value in body.items() if callable(value)]
    parts = route.rows + named

    def call(worlds: dict[str, World | None]) -> Any:
        path = {part: worlds[part] for part in route.rows}
        address = _address_or_no_row(route, path)
        sent = {
            name: _value(value, worlds[name]) if callable(value) else value
            for name, value in body.items()
        }
        if method == "get":
            return client.get(address, sent)
        return client.post(address, sent, content_type="application/json")

    for worlds in mixtures(parts, own, foreign):
        answer = call(dict(worlds))
        none = call({part: None if at is foreign else at for part, at in worlds.items()})
        assert answer.status_code in {404, 422}, worlds
        assert _told(answer) == _told(none), "A foreign row answers as one that does not exist."
    assert foreign.snapshot() == before

    answer = call(dict.fromkeys(parts, own))
    assert answer.status_code not in {401, 403, 404, 405, 500}, answer.content
    assert foreign.mark not in b"".join(answer).decode()


def test_every_method_names_its_scope() -> None:
    for param in METHODS:
        route, method = param.values
        scope = route.view.scope
        named = scope.get(method.upper()) if isinstance(scope, dict) else scope
        assert named, route
        assert named != ANY or route.name.startswith("connectors."), route


def _body(route: Route, method: str) -> dict[str, Any]:
    if method == "get":
        return BODIES.get(route.name, {})
    assert route.name in BODIES, f"Say in BODIES what {route.name} is sent."
    return BODIES[route.name]


def _address_or_no_row(route: Route, worlds: dict[str, World | None]) -> str:
    path = route.path
    for part in route.parts:
        world = worlds.get(part)
        value = CONSTANTS.get(part) or (route.pick(part, world) if world else NO_ROW)
        path = _fill(path, part, str(value))
    return f"/{path}"


def _value(pick: Pick, world: World | None) -> Any:
    if world is not None:
        return pick(world)
    return [NO_ROW] if pick is BODIES["repositories.select"]["ids"] else NO_ROW


def _told(answer: Any) -> Any:
    """An answer without what differs between any two: request id and the ids that were sent."""
    told = {name: value for name, value in answer.json().items() if name != "request_id"}
    words = str(told).split()
    return answer.status_code, [word for word in words if not any(map(str.isdigit, word))]


@pytest.mark.django_db(transaction=True)  # slices work in threads, with connections of their own
@pytest.mark.parametrize("name", [name for name in TASKS if name not in OUTSIDE])
def test_tasks(name: str, own: World, foreign: World) -> None:
    row = _row_of_task(name)
    own_id, foreign_id = row(own), row(foreign)
    before = own.snapshot(), foreign.snapshot()

    app.tasks[name](own.organization.pk, foreign_id)
    app.tasks[name](own.organization.pk, NO_ROW)
    assert (own.snapshot(), foreign.snapshot()) == before

    app.tasks[name](own.organization.pk, own_id)
    assert own.snapshot() != before[0], "The control must change something."
    assert foreign.snapshot() == before[1]


def _row_of_task(name: str) -> Callable[[World], int]:
    known: dict[str, Callable[[World], int]] = {
        "connections.tasks.run_verification": _open_verification,
        "connections.tasks.verify_credential": lambda world: world.credential.pk,
        "connections.tasks.verify_connection": lambda world: world.connection.pk,
        "connections.tasks.register_webhooks": _wanted_webhooks,
        "connections.tasks.remove_webhooks": _unwanted_webhook,
        "ingestion.tasks.run_slice": _queued_sync,
        "ingestion.tasks.follow_delivery": _queued_delivery,
    }
    assert name in known, f"Say which row {name} takes, or that it runs outside of organizations."
    return known[name]


def _open_verification(world: World) -> int:
    row = Verification.objects.create(draft=world.draft, organization=world.organization)
    return int(row.pk)


def _wanted_webhooks(world: World) -> int:
    make_secret(world.connection)
    return int(world.connection.pk)


def _unwanted_webhook(world: World) -> int:
    WebhookSubscriptionFactory.create(connection=world.connection)
    return int(world.connection.pk)


def _queued_sync(world: World) -> int:
    made: Sync = SyncFactory.create(
        connection=world.connection,
        state=State.QUEUED,
        dispatched_at=now(),  # else the end of any slice would send it
        started_at=None,
        finished_at=None,
    )
    return int(made.pk)


def _queued_delivery(world: World) -> int:
    made: Delivery = DeliveryFactory.create(
        connection=world.connection, state=Delivery.State.QUEUED
    )
    return int(made.pk)
