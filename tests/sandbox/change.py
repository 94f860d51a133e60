"""Things that happen in the simulated Bitbucket while somebody copies it."""

from __future__ import annotations

from tests.sandbox.site import Site


class Change:
    """Every method changes the world and stamps what it touches with the sandbox's now."""

    def __init__(self, site: Site) -> None:
        self.site = site
