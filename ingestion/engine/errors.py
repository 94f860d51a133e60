"""What can happen to a slice, apart from what happens at Bitbucket."""


class Lost(Exception):
    """The sync is no longer this worker's: it was cancelled, paused or taken over.

    Nothing of the present transaction is kept.
    """
