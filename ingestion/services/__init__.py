"""What happens to syncs."""
