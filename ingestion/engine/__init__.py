"""Copies records in slices: claims a sync, walks its streams, writes batches, lets go."""

from ingestion.engine.running import run_slice, run_to_end

__all__ = ("run_slice", "run_to_end")
