"""How many requests Bitbucket still allows. Subjects belong to no organization."""

from datetime import datetime
from typing import ClassVar

from django.db import models


class Quota(models.Model):
    """The lock and the ledger of one subject: a token, an account, an OAuth consumer."""

    subject = models.CharField(max_length=64, unique=True, help_text="keyed hash")
    limit = models.PositiveIntegerField(help_text="requests in a window")
    learned_limit = models.PositiveIntegerField(null=True, help_text="as Bitbucket told")
    learned_until = models.DateTimeField(
        null=True, help_text="how long a limit that came with a refusal is believed"
    )
    blocked_until = models.DateTimeField(null=True)
    blocks = models.PositiveIntegerField(default=0, help_text="refusals in a row")
    is_probing = models.BooleanField(default=False, help_text="one request is out to try again")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"quota {self.pk}"

    def limit_at(self, moment: datetime) -> int:
        """How many requests a window has: as Bitbucket told, as long as that is believed."""
        is_over = self.learned_until is not None and self.learned_until <= moment
        return self.limit if is_over else self.learned_limit or self.limit


class QuotaBucket(models.Model):
    """Permits that an organization booked in one sixtieth of the window."""

    quota = models.ForeignKey(Quota, on_delete=models.CASCADE, related_name="buckets")
    starts_at = models.DateTimeField()
    whose = models.BigIntegerField(default=0, help_text="id of the organization; 0: unknown")
    booked = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("quota_id", "starts_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("quota", "starts_at", "whose"), name="one_bucket_each")
        ]

    def __str__(self) -> str:
        return f"{self.booked} at {self.starts_at}"


class QuotaClaim(models.Model):
    """An organization that waits for permits of a subject which it shares with others."""

    quota = models.ForeignKey(Quota, on_delete=models.CASCADE, related_name="claims")
    whose = models.BigIntegerField(help_text="id of the organization")
    until = models.DateTimeField(help_text="until when it is taken to wait")

    class Meta:
        ordering = ("quota_id", "whose")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("quota", "whose"), name="one_claim_each")
        ]

    def __str__(self) -> str:
        return f"{self.whose} waits until {self.until}"
