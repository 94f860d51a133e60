"""Pages of overview, connections, syncs and records."""
