"""What every way into a provider must stand. A new connector or method joins by being listed."""
