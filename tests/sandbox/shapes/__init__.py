"""How records look as JSON: one function per Bitbucket object."""
