"""Who: users, organizations, memberships, invitations, keys, the audit trail, the one door."""
