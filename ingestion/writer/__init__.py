"""Writes batches of rows: constant numbers of statements, only what differs, never older."""
