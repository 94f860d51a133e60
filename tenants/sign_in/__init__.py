"""Sign-in with Bitbucket: allauth's provider with our addresses, statuses checked, nothing kept."""
