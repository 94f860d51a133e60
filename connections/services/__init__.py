"""What happens to connections, credentials, drafts and authorizations."""
