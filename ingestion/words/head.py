"""The head of a connection's pages. `settings.CONNECTION_HEAD` names `connection_head`."""

from typing import Any

from connections.models import Connection
from ingestion.selectors.connections import row_of
from ingestion.words.endings import banners
from ingestion.words.problems import problems


def connection_head(connection: Connection) -> dict[str, Any]:
    """What every tab shows above its content: the same state, freshness and problems."""
    row = row_of(connection)
    return {
        "row": row,
        "endings": banners([connection]),
        "problems": problems(connection.organization.slug, [row]),
        "beneath": connection.children.filter(deleted_at=None) if connection.handed_over else (),
    }
