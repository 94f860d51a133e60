"""Credentials that will end soon."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.timezone import now

from connections.models import Connection, Credential
from ingestion.selectors.connections import EXPIRY_WARNING, ConnectionRow
from ingestion.selectors.quota import is_usable
from ingestion.words.counted import counted


@dataclass(frozen=True, kw_only=True)
class Expiring:
    """“CI token of Engineering workspace expires in 6 days”."""

    connection: Connection
    credential: Credential
    days: int

    @property
    def words(self) -> str:
        if self.days <= 0:
            return "expires today" if self.days == 0 else "has expired"
        return f"expires in {counted(self.days, 'day')}"


def expiring(rows: Sequence[ConnectionRow]) -> list[Expiring]:
    """The usable credentials that expire within 30 days, the next one first."""
    today = now().date()
    found = [
        Expiring(connection=row.connection, credential=c, days=(c.expiration_date - today).days)
        for row in rows
        for c in row.credentials
        if c.expiration_date and is_usable(c) and c.expiration_date <= today + EXPIRY_WARNING
    ]
    return sorted(found, key=lambda item: item.days)
