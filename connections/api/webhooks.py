"""The methods webhooks.* of one connection."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from connections.api.lookups import connection_of
from connections.api.schemas import LookedAt, RegisteredWebhooks
from connections.api.webhook_answers import (
    RegisteredWebhooksAnswer,
    RemovedWebhooksAnswer,
    WebhooksAnswer,
)
from connections.models import Connection
from connections.services import webhooks
from connections.services.webhook_status import Hook, Status, status_of
from connections.transport.errors import InvalidPermissions, ProviderError
from tenants.api import ApiView, timestamp
from tenants.authentication import require_scope
from tenants.models import Scope

NAMED = 100  # repositories without a webhook


class WebhooksStatus(ApiView):
    """How the webhooks of a connection stand, as they were last seen or as they are now.

    Looking how they are now uses its credentials: that needs `connections:write`, too.
    """

    scope = Scope.CONNECTIONS_READ
    takes = LookedAt
    gives = WebhooksAnswer
    refuses = ("connection_not_found", "connection_not_ready")
    example = {"look": True}

    def get(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        problem = None
        if self.read()["look"]:
            require_scope(self.key, Scope.CONNECTIONS_WRITE)  # it uses secrets, as verifying does
            problem = webhooks.look(connection=connection, by=self.actor)
        return Response(_standing(connection, problem))


class WebhooksRegister(ApiView):
    """Make or mend the webhooks of a connection; what Bitbucket refuses is told in `problem`.

    The secret that signs what they deliver is told once: where this call made it. With `rotate`
    it makes a new one; the one before is believed for 24 hours more.
    """

    scope = Scope.CONNECTIONS_WRITE
    takes = RegisteredWebhooks
    gives = RegisteredWebhooksAnswer
    refuses = ("connection_not_found", "connection_not_ready")
    example = {"rotate": False}

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        done = webhooks.register(connection=connection, by=self.actor, **self.read())
        answer = _standing(connection, done.problem)
        answer |= {"created": done.created, "mended": done.mended, "removed": done.removed}
        return Response({**answer, "secret": done.secret} if done.secret else answer)


class WebhooksRemove(ApiView):
    """Remove the webhooks of a connection at Bitbucket, and forget their secret."""

    scope = Scope.CONNECTIONS_WRITE
    gives = RemovedWebhooksAnswer
    refuses = ("connection_not_found", "connection_not_ready")

    def post(self, request: Request, connection_id: int) -> Response:
        connection = connection_of(self, connection_id)
        self.read()
        done = webhooks.remove(connection=connection, by=self.actor)
        return Response({**_standing(connection, done.problem), "removed": done.removed})


def _standing(connection: Connection, problem: ProviderError | None) -> dict[str, Any]:
    return {"webhooks": _row(status_of(connection)), "problem": problem and _problem_row(problem)}


def _row(status: Status) -> dict[str, Any]:
    return {
        "state": status.standing.value,
        "url": status.url,
        "events": list(status.events),
        "hooks": [_hook_row(one) for one in status.hooks],
        "left": [one.name for one in status.left[:NAMED]],
        "left_count": len(status.left),
        "commands": [
            {"scope": one.scope, "name": one.place.name, "command": one.text}
            for one in status.commands
        ],
        "secret_made_at": timestamp(status.secret_made_at),
        "old_secret_until": timestamp(status.old_secret_until),
    }


def _hook_row(hook: Hook) -> dict[str, Any]:
    row = hook.row
    return {
        "id": row.pk,
        "scope": row.scope,
        "name": row.name,
        "uuid": row.uuid,
        "state": row.state,
        "events": row.events,
        "missing_events": list(hook.missing),
        "seen_at": timestamp(row.seen_at),
        "created_at": timestamp(row.created_at),
    }


def _problem_row(problem: ProviderError) -> dict[str, Any]:
    missing = problem.missing_scopes if isinstance(problem, InvalidPermissions) else ()
    return {"code": problem.code, "message": problem.message, "missing_scopes": list(missing)}
