"""What pages and the API read of syncs, coverage, quota and records."""
