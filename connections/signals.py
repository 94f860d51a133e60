"""What the connections tell those who build upon them."""

from django.dispatch import Signal

# A connection was paused or deleted; sent inside the transaction that does it.
# Arguments: sender=Connection, connection, by (Actor).
connection_stopped = Signal()

# Other streams are copied by another connection from now on; sent inside the transaction that does
# it, with both held. Arguments: sender=Connection, streams (keys), source, target.
streams_moved = Signal()

# A credential has another secret now; sent inside the transaction that stores it.
# Arguments: sender=Credential, credential, shown (ids of the repositories that it sees, or None
# where that is not known).
secret_changed = Signal()

# What is copied of a connection was changed; sent inside the transaction that does it.
# Arguments: sender=Connection, connection.
selection_changed = Signal()
