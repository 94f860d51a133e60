"""The records: rows that came from Bitbucket. Help texts give meaning, unit and source."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from connections.models import Connection
from tenants.models import Organization, TenantModel

NAME = 255


class Record(TenantModel):
    """What every record has beside Bitbucket's own values."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    changed_at = models.DateTimeField(help_text="when Tributary last wrote this row")
    removed_at = models.DateTimeField(null=True, help_text="since when it is gone at Bitbucket")
    seen_by = models.BigIntegerField(
        null=True, help_text="id of the sync that last read everything and saw it"
    )

    class Meta(TenantModel.Meta):
        abstract = True


class Person(Record):
    """A Bitbucket account: a member of the workspace, or somebody met on a record."""

    organization_from = ("connection",)

    uuid = models.CharField(max_length=64, help_text="Bitbucket's uuid, with braces")
    account_id = models.CharField(max_length=128, blank=True, help_text="Atlassian account id")
    name = models.CharField(max_length=NAME, blank=True, help_text="display name")
    nickname = models.CharField(max_length=NAME, blank=True)
    kind = models.CharField(max_length=20, blank=True, help_text="user, app_user or team")
    is_member = models.BooleanField(default=False, help_text="listed among the workspace's members")

    class Meta(Record.Meta):
        ordering = ("name", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("connection", "uuid"), name="person_once")
        ]
        indexes = [
            models.Index(fields=("organization", "name", "id"), name="person_by_name"),
            models.Index(fields=("organization", "changed_at", "id"), name="person_changed"),
        ]

    def __str__(self) -> str:
        return self.name or self.nickname or self.uuid


class Repository(Record):
    """A repository. Its source code is never read."""

    organization_from = ("connection",)

    uuid = models.CharField(max_length=64, help_text="Bitbucket's uuid, with braces")
    name = models.CharField(max_length=NAME)
    slug = models.CharField(max_length=NAME, blank=True)
    full_name = models.CharField(max_length=2 * NAME, blank=True, help_text="workspace/slug")
    project_key = models.CharField(max_length=NAME, blank=True)
    project_name = models.CharField(max_length=NAME, blank=True)
    is_private = models.BooleanField(null=True)
    language = models.CharField(max_length=NAME, blank=True)
    main_branch = models.CharField(max_length=NAME, blank=True)
    parent_uuid = models.CharField(max_length=64, blank=True, help_text="what it is a fork of")
    size = models.BigIntegerField(null=True, help_text="bytes")
    web_url = models.TextField(blank=True)
    created_on = models.DateTimeField(null=True)
    updated_on = models.DateTimeField()
    is_selected = models.BooleanField(default=True, help_text="part of what is synced")

    class Meta(Record.Meta):
        ordering = ("-updated_on", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("connection", "uuid"), name="repository_once")
        ]
        indexes = [
            models.Index(fields=("organization", "-updated_on", "id"), name="repository_recent"),
            models.Index(fields=("organization", "changed_at", "id"), name="repository_changed"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.name


class RepositoryRecord(Record):
    """A record inside a repository. What it repeats of what it belongs to is not checked again."""

    organization_from = ("repository",)

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        related_name="+",
        editable=False,
        db_constraint=False,
        db_index=False,
    )
    repository = models.ForeignKey(
        Repository, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta(Record.Meta):
        abstract = True


class PullRequest(RepositoryRecord):
    """A pull request. Source: /repositories/{workspace}/{repository}/pullrequests"""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )

    class State(models.TextChoices):
        OPEN = "OPEN", "Open"
        MERGED = "MERGED", "Merged"
        DECLINED = "DECLINED", "Declined"
        SUPERSEDED = "SUPERSEDED", "Superseded"

    number = models.BigIntegerField(help_text="its id within the repository")
    title = models.TextField(blank=True)
    description = models.TextField(blank=True)
    state = models.CharField(max_length=20)
    is_draft = models.BooleanField(default=False)
    author = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    closed_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    source_branch = models.TextField(blank=True)
    source_commit = models.CharField(max_length=40, blank=True, help_text="12 characters")
    source_repository_uuid = models.CharField(
        max_length=64, blank=True, help_text="empty: fork gone"
    )
    destination_branch = models.TextField(blank=True)
    destination_commit = models.CharField(max_length=40, blank=True, help_text="12 characters")
    merge_commit = models.CharField(max_length=40, blank=True, help_text="12 characters")
    close_source_branch = models.BooleanField(default=False)
    reason = models.TextField(blank=True, help_text="why it was declined")
    comment_count = models.PositiveIntegerField(default=0)
    task_count = models.PositiveIntegerField(default=0)
    web_url = models.TextField(blank=True)
    created_on = models.DateTimeField(null=True)
    updated_on = models.DateTimeField()
    due_for = models.DateTimeField(null=True, help_text="the updated_on whose details are due")
    activity_done_for = models.DateTimeField(
        null=True, help_text="due_for of the last activity walk"
    )
    comments_done_for = models.DateTimeField(
        null=True, help_text="due_for of the last comment walk"
    )

    class Meta(RepositoryRecord.Meta):
        ordering = ("-updated_on", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("repository", "number"), name="pull_request_once")
        ]
        indexes = [
            models.Index(fields=("organization", "-updated_on", "id"), name="pull_request_recent"),
            models.Index(fields=("organization", "changed_at", "id"), name="pull_request_changed"),
            models.Index(
                fields=("repository", "id"),
                condition=Q(due_for__isnull=False)
                & (
                    Q(activity_done_for__isnull=True)
                    | ~Q(activity_done_for=F("due_for"))
                    | Q(comments_done_for__isnull=True)
                    | ~Q(comments_done_for=F("due_for"))
                ),
                name="pull_request_due",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"


class PullRequestRecord(RepositoryRecord):
    """A record of a pull request."""

    organization_from = ("pull_request",)

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    repository = models.ForeignKey(
        Repository, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    pull_request = models.ForeignKey(
        PullRequest, on_delete=models.CASCADE, related_name="%(class)ss", db_index=False
    )

    class Meta(RepositoryRecord.Meta):
        abstract = True


class Review(PullRequestRecord):
    """Where a participant of a pull request stands. Source: its `participants`."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=20, blank=True, help_text="REVIEWER or PARTICIPANT")
    state = models.CharField(
        max_length=30, blank=True, help_text="approved, changes_requested or empty"
    )
    is_approved = models.BooleanField(default=False)
    participated_on = models.DateTimeField(null=True)

    class Meta(PullRequestRecord.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("pull_request", "person"), name="review_once")
        ]
        indexes = [models.Index(fields=("organization", "changed_at", "id"), name="review_changed")]

    def __str__(self) -> str:
        return f"review by {self.person_id}"


class Event(PullRequestRecord):
    """One entry of the activity feed. Source: /pullrequests/activity"""

    class Kind(models.TextChoices):
        UPDATE = "update", "Update"
        APPROVAL = "approval", "Approval"
        CHANGES_REQUESTED = "changes_requested", "Changes requested"
        COMMENT = "comment", "Comment"

    key = models.CharField(
        max_length=200,
        help_text="kind, time in microseconds and person; a comment: its id; an update: also state "
        "and source hash",
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    happened_at = models.DateTimeField()
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(
        max_length=20, blank=True, help_text="the pull request's, at an update"
    )
    source_commit = models.CharField(max_length=40, blank=True, help_text="at an update")
    changes = models.JSONField(
        default=dict, help_text="what an update changed, by name: [old, new]"
    )
    comment_number = models.BigIntegerField(null=True, help_text="the comment's id")
    withdrawn_at = models.DateTimeField(null=True, help_text="since when the feed lacks it")

    class Meta(PullRequestRecord.Meta):
        ordering = ("happened_at", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("pull_request", "key"), name="event_once")
        ]
        indexes = [models.Index(fields=("organization", "changed_at", "id"), name="event_changed")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.happened_at}"


class Comment(PullRequestRecord):
    """A comment. Source: /pullrequests/{id}/comments, and the activity feed before"""

    number = models.BigIntegerField(help_text="Bitbucket's id")
    author = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    content = models.TextField(blank=True)
    path = models.TextField(blank=True, help_text="file it stands at; empty: none")
    line = models.PositiveIntegerField(null=True)
    parent_number = models.BigIntegerField(null=True, help_text="id of what it answers")
    is_deleted = models.BooleanField(default=False)
    is_resolved = models.BooleanField(default=False)
    created_on = models.DateTimeField(null=True)
    updated_on = models.DateTimeField(null=True)

    class Meta(PullRequestRecord.Meta):
        ordering = ("created_on", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("pull_request", "number"), name="comment_once")
        ]
        indexes = [
            models.Index(fields=("organization", "changed_at", "id"), name="comment_changed")
        ]

    def __str__(self) -> str:
        return f"comment {self.number}"
