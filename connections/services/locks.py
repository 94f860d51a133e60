"""The order of locks: a connection first, then its drafts, its credentials, its sync."""

from connections.models import Connection


def hold(connection_id: int) -> Connection:
    """The connection's row, held to the end of the transaction.

    Whoever changes a connection together with what belongs to it begins here, so that no two wait
    for each other. `no_key`: a worker that writes records of it meanwhile does not wait.
    """
    row: Connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
    return row
