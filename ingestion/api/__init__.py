"""The HTTP API of syncs, coverage, quota, repositories and records."""
