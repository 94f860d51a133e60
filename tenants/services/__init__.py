"""What happens to users, organizations, keys and the audit trail."""
