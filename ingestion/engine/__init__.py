"""Copies records in slices: claims a sync, walks its streams, writes batches, lets go."""


def run_slice(sync_id: int) -> None:
    """Do a stretch of a sync, if nobody else does."""
    raise NotImplementedError
