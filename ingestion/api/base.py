"""The base of methods below one connection."""

from connections.models import Connection
from ingestion.models import Sync
from ingestion.selectors.connections import connections_of
from ingestion.selectors.syncs import syncs_of
from tenants.api import ApiError, ApiView


class OfConnection(ApiView):
    """A method below `/api/connections/:connection_id/`."""

    def connection(self, pk: int) -> Connection:
        """The connection, of the key's organization. Raises connection_not_found."""
        found = connections_of(self.organization).filter(pk=pk).first()
        if found is None:
            raise ApiError("connection_not_found", "There is no such connection.")
        return found

    def sync(self, connection: Connection, pk: int) -> Sync:
        """A sync of this connection. Raises sync_not_found."""
        found = syncs_of(self.organization).filter(connection=connection, pk=pk).first()
        if found is None:
            raise ApiError("sync_not_found", "This connection has no such sync.")
        return found
