"""OAuth: consumers, grants, and the page on which a person consents."""
