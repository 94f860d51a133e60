"""The records of pipelines: runs, the steps of each, and deployments."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from ingestion.models.records import NAME, Person, Repository, RepositoryRecord

# A finished run whose steps were not read, or whose last run they were not read of.
STEPS_DUE = Q(completed_on__isnull=False) & (
    Q(steps_done_for__isnull=True)
    | ~Q(steps_done_for=F("completed_on"))
    | Q(steps_done_run__isnull=True)
    | ~Q(steps_done_run=F("run_number"))
)


class PipelineRun(RepositoryRecord):
    """A run of a pipeline. Source: /repositories/{workspace}/{repository}/pipelines"""

    uuid = models.CharField(
        max_length=64, help_text="Bitbucket's uuid, with braces; a re-run keeps it"
    )
    number = models.BigIntegerField(help_text="build number")
    run_number = models.PositiveIntegerField(default=1, help_text="rises with each re-run")
    state = models.CharField(
        max_length=40, blank=True, help_text="PENDING, IN_PROGRESS, COMPLETED …"
    )
    result = models.CharField(max_length=40, blank=True, help_text="SUCCESSFUL, FAILED, STOPPED …")
    trigger = models.CharField(max_length=60, blank=True)
    creator = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    target = models.CharField(max_length=60, blank=True, help_text="type of what it ran on")
    ref_name = models.TextField(blank=True, help_text="branch or tag")
    commit = models.CharField(max_length=40, blank=True)
    duration = models.PositiveIntegerField(null=True, help_text="seconds")
    build_seconds = models.PositiveIntegerField(null=True, help_text="seconds that were billed")
    created_on = models.DateTimeField()
    completed_on = models.DateTimeField(null=True)
    steps_done_run = models.PositiveIntegerField(
        null=True, help_text="run_number of the last reading of its steps"
    )
    steps_done_for = models.DateTimeField(
        null=True, help_text="completed_on of the last reading of its steps"
    )

    class Meta(RepositoryRecord.Meta):
        ordering = ("-created_on", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("repository", "uuid"), name="pipeline_run_once")
        ]
        indexes = [
            models.Index(fields=("organization", "-created_on", "id"), name="pipeline_run_recent"),
            models.Index(fields=("organization", "changed_at", "id"), name="pipeline_run_changed"),
            models.Index(
                fields=("repository", "created_on"),
                condition=Q(completed_on=None),
                name="pipeline_run_unfinished",
            ),
            models.Index(
                fields=("repository", "id"), condition=STEPS_DUE, name="pipeline_run_steps_due"
            ),
        ]

    def __str__(self) -> str:
        return f"pipeline {self.number}"


class Step(RepositoryRecord):
    """A step of a run. Source: /repositories/{workspace}/{repository}/pipelines/{run}/steps"""

    organization_from = ("run",)

    repository = models.ForeignKey(
        Repository, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    run = models.ForeignKey(
        PipelineRun, on_delete=models.CASCADE, related_name="steps", db_index=False
    )
    uuid = models.CharField(max_length=64, help_text="Bitbucket's uuid, with braces")
    name = models.CharField(max_length=NAME, blank=True)
    run_number = models.PositiveIntegerField(default=1, help_text="the run's, when it ran")
    state = models.CharField(max_length=40, blank=True, help_text="PENDING, COMPLETED …")
    result = models.CharField(max_length=40, blank=True, help_text="SUCCESSFUL, FAILED, STOPPED …")
    trigger = models.CharField(max_length=60, blank=True, help_text="automatic or manual")
    duration = models.PositiveIntegerField(null=True, help_text="seconds")
    build_seconds = models.PositiveIntegerField(null=True, help_text="seconds that were billed")
    max_minutes = models.PositiveIntegerField(null=True, help_text="after which it is stopped")
    started_on = models.DateTimeField(null=True)
    completed_on = models.DateTimeField(null=True)

    class Meta(RepositoryRecord.Meta):
        ordering = ("started_on", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("run", "uuid"), name="step_once")
        ]
        indexes = [models.Index(fields=("organization", "changed_at", "id"), name="step_changed")]

    def __str__(self) -> str:
        return self.name or self.uuid


class Deployment(RepositoryRecord):
    """A release brought to an environment. Source: …/deployments of a repository

    The names of environments come from …/environments; run and step are told by their uuids.
    """

    uuid = models.CharField(max_length=64, help_text="Bitbucket's uuid, with braces")
    number = models.BigIntegerField(null=True)
    environment_uuid = models.CharField(max_length=64, blank=True)
    environment = models.CharField(max_length=NAME, blank=True, help_text="its name")
    environment_type = models.CharField(
        max_length=60, blank=True, help_text="Test, Staging or Production"
    )
    state = models.CharField(
        max_length=40, blank=True, help_text="UNDEPLOYED, IN_PROGRESS or COMPLETED"
    )
    result = models.CharField(max_length=40, blank=True, help_text="SUCCESSFUL, FAILED, STOPPED …")
    release = models.CharField(max_length=NAME, blank=True, help_text="name of what was deployed")
    run_uuid = models.CharField(max_length=64, blank=True, help_text="uuid of the pipeline's run")
    step_uuid = models.CharField(max_length=64, blank=True, help_text="uuid of the step")
    commit = models.CharField(max_length=40, blank=True)
    version = models.PositiveIntegerField(null=True, help_text="rises with each change")
    created_on = models.DateTimeField(null=True, help_text="of the release")
    started_on = models.DateTimeField(null=True)
    completed_on = models.DateTimeField(null=True)
    updated_on = models.DateTimeField(null=True)

    class Meta(RepositoryRecord.Meta):
        ordering = ("-updated_on", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("repository", "uuid"), name="deployment_once")
        ]
        indexes = [
            models.Index(fields=("organization", "-updated_on", "-id"), name="deployment_recent"),
            models.Index(fields=("organization", "changed_at", "id"), name="deployment_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.release or self.uuid} to {self.environment or 'an environment'}"
