"""connections.estimate"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from connections.api.lookups import PROOF
from connections.connectors.schema import InvalidFields
from connections.models import Connection
from connections.services.schedules import interval
from ingestion.api.answers import EstimateAnswer
from ingestion.api.base import OfConnection
from ingestion.api.schemas import EstimateSync
from ingestion.estimates import Estimate, estimate_of
from tenants.models import Scope

HOUR = timedelta(hours=1)


class ConnectionsEstimate(OfConnection):
    """What a first sync of a connection takes, and each one of its schedule."""

    scope = Scope.CONNECTIONS_READ
    takes = EstimateSync
    gives = EstimateAnswer
    refuses = ("connection_not_found", "connection_not_ready", *PROOF)
    example = {"since": "2026-01-01", "credentials": 2}

    def get(self, request: Request, pk: int) -> Response:
        connection = self.connection(pk)
        asked = self.read()
        changes: dict[str, Any] = {}
        if "streams" in asked:
            changes["streams"] = asked["streams"]
        if "since" in asked:
            changes["since"] = asked["since"].isoformat() if asked["since"] else None
        with naming_arguments():
            found = estimate_of(
                connection, by=self.actor, changes=changes, credentials=asked.get("credentials")
            )
        return Response(_row(found) | {"schedule": _schedule(found, connection)})


@contextmanager
def naming_arguments() -> Iterator[None]:
    """What is tried out of a selection has the names by which it was asked for."""
    try:
        yield
    except InvalidFields as error:
        named = {name.removeprefix("selection."): told for name, told in error.fields.items()}
        raise InvalidFields(named) from None


def _row(found: Estimate) -> dict[str, Any]:
    return {
        "requests": found.first.total,
        "low": found.first.low,
        "high": found.first.high,
        "seconds": round(found.seconds),
        "hours_at_quota": round(found.hours_at_quota, 2),
        "by_stream": {key: round(amount) for key, amount in found.first.by_stream.items()},
    }


def _schedule(found: Estimate, connection: Connection) -> dict[str, Any] | None:
    """What each sync of the schedule takes, and how many requests it is allowed."""
    step = interval(connection.schedule, timezone=connection.organization.timezone)
    if step is None:
        return None
    hours = step / HOUR
    return {
        "requests": found.again(hours).total,
        "allowed": round(found.allowance.scheduled * hours),
        "fits": found.fits(hours),
    }
