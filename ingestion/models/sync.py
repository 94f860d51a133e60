"""Runs that copy, how far they came, and what is complete."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from connections.models import Connection, Credential
from tenants.models import TenantModel


class State(models.TextChoices):
    """The states of a sync and of its streams."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Syncing"
    WAITING = "waiting", "Waiting"
    SUCCEEDED = "succeeded", "Complete"
    PARTIAL = "partial", "Incomplete"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Stopped"


COMPARISON = "comparison"  # stands beside the streams of a sync: counts, and copies nothing
WHOLE = ("repositories", "people")  # streams of the connection, not of a repository
UNFINISHED = (State.QUEUED, State.RUNNING, State.WAITING)


class Sync(TenantModel):
    """One run that copies streams of a connection."""

    class Trigger(models.TextChoices):
        FIRST = "first", "first sync"
        SCHEDULE = "schedule", "the schedule"
        PERSON = "person", "a person"
        API = "api", "the API"

    class Mode(models.TextChoices):
        INCREMENTAL = "incremental", "What is new"
        FULL = "full", "Everything again"

    class Reason(models.TextChoices):
        """What a waiting sync waits for."""

        NONE = "", "nothing"
        QUOTA = "quota", "quota"
        RETRY = "retry", "Bitbucket"
        TURN = "turn", "its turn"

    organization_from = ("connection",)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="syncs")
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.INCREMENTAL)
    streams = models.JSONField(default=list, help_text="the streams of this run, in their order")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=10, choices=Reason.choices, blank=True)
    attempt = models.PositiveIntegerField(default=0, help_text="the fence: rises with each claim")
    lease_until = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    resume_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict, help_text="read, created, updated, unchanged, removed")
    requests = models.PositiveIntegerField(default=0)
    seconds = models.JSONField(
        default=dict, help_text="where time went: bitbucket, database, waiting, in seconds"
    )
    uses = models.JSONField(default=dict, help_text="requests by id of the credential")
    error = models.JSONField(null=True, help_text="code, message, retryable, mended_by, evidence")
    retry_count = models.PositiveIntegerField(default=0, help_text="waits for Bitbucket in a row")
    goes_on = models.BigIntegerField(
        null=True, help_text="id of the first sync of those that this one goes on with"
    )
    requested_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("connection",),
                condition=Q(state__in=[state.value for state in UNFINISHED]),
                name="sync_already_running",
            )
        ]
        indexes = [
            models.Index(fields=("organization", "-created_at", "-id"), name="sync_recent"),
            models.Index(fields=("connection", "-created_at", "-id"), name="sync_of_connection"),
            models.Index(
                fields=("state", "resume_at"),
                condition=Q(state__in=[state.value for state in UNFINISHED]),
                name="sync_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"sync {self.pk}"


class StreamRun(TenantModel):
    """One stream in a sync; and one more row per repository that changed or failed in it."""

    organization_from = ("sync",)

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="stream_runs")
    stream = models.CharField(max_length=40)
    repository = models.ForeignKey(
        "ingestion.Repository", on_delete=models.CASCADE, null=True, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0, help_text="repositories finished")
    total = models.PositiveIntegerField(null=True, help_text="repositories to visit, when known")
    expected = models.PositiveIntegerField(null=True, help_text="records to read, about")
    read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    complete_as_of = models.DateTimeField(
        null=True, help_text="of the stream as its sync ended; null: never, or it was stopped"
    )
    requests = models.PositiveIntegerField(default=0)
    error = models.JSONField(null=True, help_text="code, message, retryable, mended_by, evidence")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("sync_id", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("sync", "stream"),
                condition=Q(repository__isnull=True),
                name="stream_once_per_sync",
            ),
            models.UniqueConstraint(
                fields=("sync", "stream", "repository"),
                name="stream_once_per_repository_and_sync",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream} of sync {self.sync_id}"


class Coverage(TenantModel):
    """Up to where a stream of a repository (or of the whole connection) is complete."""

    # Much is not listed any more, and nobody has said yet whether it is really gone.
    # Where its repository is not synced any more, nobody needs to.
    ASKS = (
        Q(gap__code="many_gone")
        & (Q(checkpoint__walk__confirmed=False) | Q(missing__confirmed=False))
        & (Q(repository=None) | Q(repository__is_selected=True, repository__removed_at=None))
    )

    organization_from = ("connection",)

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="coverage")
    repository = models.ForeignKey(
        "ingestion.Repository", on_delete=models.CASCADE, null=True, related_name="coverage"
    )
    stream = models.CharField(max_length=40)
    covered_from = models.DateTimeField(
        null=True, help_text="start of the history that was read; null: all"
    )
    earlier = models.JSONField(
        null=True, help_text="where a walk into history before it stands, or would begin"
    )
    watermark = models.DateTimeField(null=True)
    complete_as_of = models.DateTimeField(null=True)
    heads = models.JSONField(
        null=True, help_text="hashes at the tips of branches when commits were last read"
    )
    checkpoint = models.JSONField(null=True, help_text="where an unfinished walk goes on")
    gap = models.JSONField(null=True, help_text="code and message of what is missing")
    rows = models.PositiveIntegerField(default=0, help_text="rows listed by the last whole walk")
    refusals = models.PositiveIntegerField(default=0, help_text="syncs in a row that were refused")
    asked_at = models.DateTimeField(null=True, help_text="last time a refused stream was asked")
    ended_by = models.BigIntegerField(
        null=True, help_text="id of the sync that last came to an end here, well or not"
    )
    looked_back_at = models.DateTimeField(
        null=True, help_text="when what is read once a day was last read"
    )
    came_of_age_until = models.DateTimeField(
        null=True, help_text="runs that came of age before were asked for one by one"
    )
    missing = models.JSONField(
        null=True,
        help_text="what a reading of everything did not see, until each was asked for: its sync, "
        "since when, how many, whether a person confirmed it, and the gap that it leaves",
    )
    lost_heads = models.JSONField(
        null=True, help_text="hashes at which no branch stands any more, to be asked for once more"
    )
    is_rotating = models.BooleanField(
        default=False, help_text="of a list of repositories: a sync does not visit all of them"
    )
    comparison = models.JSONField(
        null=True, help_text="the last one with the provider's count: at, theirs, ours, twice"
    )

    class Meta(TenantModel.Meta):
        ordering = ("connection_id", "repository_id", "stream")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("connection", "stream"),
                condition=Q(repository__isnull=True),
                name="coverage_once_per_connection",
            ),
            models.UniqueConstraint(
                fields=("connection", "repository", "stream"),
                name="coverage_once_per_repository",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream} up to {self.watermark}"

    @property
    def is_confirmed(self) -> bool:
        """Whether a person said that what is not listed any more is really gone."""
        kept = self.missing or (self.checkpoint or {}).get("walk") or {}
        return bool(kept.get("confirmed"))


class RepositoryAccess(TenantModel):
    """Which credential sees which repository: the later of the two moments tells."""

    SEES: ClassVar = Q(seen_at__isnull=False) & (
        Q(refused_at=None) | Q(refused_at__lt=F("seen_at"))
    )
    organization_from = ("credential",)

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="+")
    repository = models.ForeignKey(
        "ingestion.Repository", on_delete=models.CASCADE, related_name="access"
    )
    seen_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("credential_id", "repository_id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("credential", "repository"), name="access_once_per_credential"
            )
        ]

    def __str__(self) -> str:
        return f"credential {self.credential_id} sees repository {self.repository_id}"


class RejectedRow(TenantModel):
    """A row that the database refused; the rest of its batch was kept."""

    organization_from = ("sync",)

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="rejected_rows")
    repository = models.ForeignKey(
        "ingestion.Repository", on_delete=models.CASCADE, null=True, related_name="+"
    )
    stream = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    reason = models.TextField()
    parent = models.CharField(
        max_length=64,
        blank=True,
        help_text="number of the pull request, or uuid of the run, whose detail it is",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, help_text="since when it is here, or no more")

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.stream} {self.key}"
