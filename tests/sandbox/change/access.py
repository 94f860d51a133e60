"""Credentials that lose their powers. A credential is named by its secret or its label."""

from __future__ import annotations

from tests.sandbox.change.base import Changes, happens


class AccessChanges(Changes):
    """What an administrator, an expiry date or Bitbucket itself does to credentials."""

    @happens
    def revoke(self, token: str) -> None:
        """From now on 401."""
        self.site.tokens.find(token).revoked = True

    @happens
    def restore(self, token: str) -> None:
        """It works again."""
        self.site.tokens.find(token).revoked = False

    @happens
    def expire(self, token: str) -> None:
        """An OAuth access token is over; its refresh token is not."""
        self.site.tokens.find(token).expires_at = self.site.clock.seconds()

    @happens
    def remove_scope(self, token: str, scope: str) -> None:
        """The credential keeps working without this scope."""
        found = self.site.tokens.find(token)
        found.scopes = [one for one in found.scopes if one != scope]

    @happens
    def add_scope(self, token: str, scope: str) -> None:
        """The credential gains a scope."""
        found = self.site.tokens.find(token)
        found.scopes = [*found.scopes, scope]

    @happens
    def fill_quota(self, token: str, *, leave: int = 0) -> None:
        """All that the token had left is spent, but for `leave` requests."""
        self.site.quota.fill(self.site.tokens.find(token), leave)

    @happens
    def revoke_grants(self, person: str) -> None:
        """A person withdraws every OAuth consent."""
        self.site.consumers.revoke_grants(self._person(person))

    @happens
    def expire_cursors(self) -> None:
        """Activity cursors handed out before answer 400."""
        self.site.epoch += 1
