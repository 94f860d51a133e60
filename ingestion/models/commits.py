"""The records of version control: commits, without what they change."""

from typing import ClassVar

from django.db import models

from connections.models import Connection
from ingestion.models.records import NAME, Person, RepositoryRecord


class Commit(RepositoryRecord):
    """A commit that a branch leads to. Source: /repositories/{workspace}/{repository}/commits

    One to which no branch leads any more, after a force-push, counts as gone.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    hash = models.CharField(max_length=40, help_text="40 characters")
    author = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    author_text = models.CharField(
        max_length=2 * NAME,
        blank=True,
        help_text="who wrote it, as it stands in the commit, where that is no account",
    )
    message = models.TextField(blank=True)
    parents = models.JSONField(default=list, help_text="hashes; a merge has several")
    committed_on = models.DateTimeField(help_text="its date")

    class Meta(RepositoryRecord.Meta):
        ordering = ("-committed_on", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("repository", "hash"), name="commit_once")
        ]
        indexes = [
            models.Index(fields=("organization", "-committed_on", "id"), name="commit_recent"),
            models.Index(fields=("organization", "changed_at", "id"), name="commit_changed"),
        ]

    def __str__(self) -> str:
        return f"commit {self.hash[:12]}"

    @property
    def title(self) -> str:
        """The first line of its message."""
        return self.message.strip().partition("\n")[0]
