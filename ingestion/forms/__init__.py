"""What pages take in: filters in the address, and the choice of what to sync."""
