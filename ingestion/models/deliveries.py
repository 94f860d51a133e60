"""What webhooks brought: hints that something changed at the provider."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from connections.models import Connection
from ingestion.models.records import Repository
from tenants.models import TenantModel


class Delivery(TenantModel):
    """One webhook request that was received, as it came, and what became of it."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Reading"
        DONE = "done", "Fetched"
        DROPPED = "dropped", "Nothing to fetch"
        FAILED = "failed", "Failed"

    class Outcome(models.TextChoices):
        """Why it ended as it did, or what it waits for. In sentences: `words.deliveries`."""

        NONE = ""
        CHANGED = "changed"
        UNCHANGED = "unchanged"
        GONE = "gone"
        STALE = "stale"
        REPEATED = "repeated"
        UNKNOWN_EVENT = "unknown_event"
        NOT_COPIED = "not_copied"
        NOT_SELECTED = "not_selected"
        NOT_READ_YET = "not_read_yet"
        QUOTA = "quota"
        RETRY = "retry"
        FAILED = "failed"

    UNFINISHED = (State.QUEUED, State.RUNNING)

    organization_from = ("connection",)

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="deliveries")
    request_id = models.CharField(
        max_length=100, help_text="X-Request-UUID, else X-Request-Id, else a hash of the body"
    )
    event = models.CharField(max_length=100, help_text="X-Event-Key")
    attempt = models.PositiveIntegerField(
        default=1, help_text="the sender's, of the last one that came: X-Attempt-Number"
    )
    headers = models.JSONField(default=dict, help_text="those that tell something; no signature")
    body = models.TextField(help_text="as it came")
    repository_uuid = models.CharField(max_length=64, blank=True, help_text="that it tells of")
    repository_name = models.CharField(max_length=510, blank=True, help_text="as it tells it")
    about = models.CharField(
        max_length=200, blank=True, help_text="what is fetched: pull_requests:{uuid}:12"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    outcome = models.CharField(max_length=20, blank=True, help_text="why it ended so: see Outcome")
    error = models.JSONField(null=True, help_text="code, message, retryable, mended_by, evidence")
    claims = models.PositiveIntegerField(default=0, help_text="the fence: rises with each claim")
    tries = models.PositiveIntegerField(default=0, help_text="that Bitbucket's trouble ended")
    lease_until = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    resume_at = models.DateTimeField(null=True)
    changed = models.PositiveIntegerField(default=0, help_text="records that differed")
    requests = models.PositiveIntegerField(default=0)
    uses = models.JSONField(default=dict, help_text="requests by id of the credential")
    replays = models.PositiveIntegerField(default=0, help_text="how often a person asked again")
    received_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, help_text="when it was last taken up")
    processed_at = models.DateTimeField(null=True)
    ms = models.PositiveIntegerField(null=True, help_text="milliseconds that fetching took")

    class Meta(TenantModel.Meta):
        ordering = ("-received_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("connection", "request_id"), name="delivery_once")
        ]
        indexes = [
            models.Index(fields=("organization", "-received_at", "-id"), name="delivery_recent"),
            models.Index(
                fields=("connection", "-received_at", "-id"), name="delivery_of_connection"
            ),
            models.Index(
                fields=("state", "resume_at"),
                condition=Q(state__in=["queued", "running"]),
                name="delivery_unfinished",
            ),
            models.Index(fields=("received_at",), name="delivery_age"),
            models.Index(fields=("connection", "about", "started_at"), name="delivery_about"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.request_id}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED


class Push(TenantModel):
    """The tip of a branch whose commits a delivery brought, and which no walk of commits has met.

    Should the branch be moved before the next walk, that asks what this tip alone leads to.
    """

    organization_from = ("repository",)

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="+")
    hash = models.CharField(max_length=40)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("repository", "hash"), name="push_once")
        ]

    def __str__(self) -> str:
        return self.hash
