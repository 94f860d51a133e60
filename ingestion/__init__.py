"""What is copied: sources, syncs, quota, schedules, records."""
