"""What is known before a connection exists."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from connections.connectors import connector, place_in
from connections.models.connection import Connection
from connections.models.credential import Credential, Grant
from connections.models.link import ConnectLink
from tenants.actor import Actor
from tenants.models import TenantModel
from tenants.secrets import SecretsField

SILENCE = timedelta(seconds=60)  # a verification of which nothing was heard for so long is lost


class Draft(TenantModel):
    """What the wizard (or a rotation) knows between its steps. Only its author sees it.

    Its author is a member, or whoever holds a connect link.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connector = models.CharField(max_length=40)
    method = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=100, blank=True)
    settings = models.JSONField(default=dict)
    secrets = SecretsField()
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, null=True, related_name="+")
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        null=True,
        related_name="drafts",
        help_text="the pending connection that this draft finishes, or the one it renews",
    )
    parent = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="the connection beneath which the new one is to stand",
    )
    credential = models.ForeignKey(
        Credential,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="the credential whose secret this draft replaces",
    )
    left_out = models.JSONField(default=list, help_text="streams that the person goes on without")
    selection = models.JSONField(default=dict)
    schedule = models.JSONField(default=dict)
    repositories = models.JSONField(
        default=list, help_text="what the secret sees: id, name, updated_on"
    )
    found = models.JSONField(
        default=dict, help_text="whom and what the secret is of: the fields of Identity"
    )
    by = models.ForeignKey("tenants.User", on_delete=models.CASCADE, null=True, related_name="+")
    link = models.ForeignKey(ConnectLink, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True)
    expires_at = models.DateTimeField(help_text="its secret is erased then")

    class Meta(TenantModel.Meta):
        ordering = ("-touched_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(by__isnull=False) ^ Q(link__isnull=False), name="draft_has_one_author"
            )
        ]

    def __str__(self) -> str:
        return self.name or "draft"

    @property
    def place(self) -> str:
        """What is to be connected, as far as it is known: the name or the id of the workspace."""
        return place_in(self.connector, self.settings)

    @property
    def is_bound(self) -> bool:
        """Whether it is for a connection that knows already what it connects."""
        one = self.connection
        return one is not None and bool(one.identity or one.place)

    def at(self, place: str) -> dict[str, str]:
        """The settings of a draft for this place."""
        return {connector(self.connector).place: place}


class Consent(TenantModel):
    """One round trip to Bitbucket's consent page. Consumed once, in the same browser session."""

    organization_from = ("draft",)

    state_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=20)
    user = models.ForeignKey(
        "tenants.User",
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="none: whoever holds the draft's connect link",
    )
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, null=True, related_name="+")
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, null=True, related_name="+"
    )
    consumer = models.CharField(max_length=100)
    session_hash = models.CharField(max_length=64)
    return_path = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"consent for {self.purpose}"


class Verification(TenantModel):
    """One proof that a draft's secret or a credential works: a list of checks."""

    class Outcome(models.TextChoices):
        RUNNING = "", "Running"
        OK = "ok", "Works"
        INVALID_CREDENTIALS = "invalid_credentials", "Bitbucket refuses the secret"
        INVALID_PERMISSIONS = "invalid_permissions", "A scope or a role is missing"
        NO_RESOURCES = "no_resources", "Nothing to see"
        WORKSPACE_NOT_FOUND = "workspace_not_found", "No such workspace"
        UNSUPPORTED_VERSION = "unsupported_version", "Too old a version"
        BASE_URL_MISMATCH = "base_url_mismatch", "Answers with other addresses"
        RATE_LIMITED = "provider_rate_limited", "The quota is used up"
        UNREACHABLE = "unreachable", "No answer"
        TLS_ERROR = "tls_error", "No trusted connection"
        BLOCKED_ADDRESS = "blocked_address", "An address that is not allowed"
        UNEXPECTED_RESPONSE = "unexpected_response", "An answer that makes no sense"

    organization_from = ("draft", "credential")

    draft = models.ForeignKey(
        Draft, on_delete=models.CASCADE, null=True, related_name="verifications"
    )
    credential = models.ForeignKey(
        Credential, on_delete=models.CASCADE, null=True, related_name="verifications"
    )
    asked_by = models.JSONField(
        default=dict, help_text="who asked for it, as an actor's values; empty: Tributary itself"
    )
    outcome = models.CharField(max_length=40, choices=Outcome.choices, blank=True)
    checks = models.JSONField(default=list, help_text="one entry per check, filled as they finish")
    started_at = models.DateTimeField(auto_now_add=True)
    lease_until = models.DateTimeField(
        null=True, help_text="a worker has it; renewed with each answer"
    )
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ("-started_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(draft__isnull=False) ^ Q(credential__isnull=False),
                name="verification_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()

    @property
    def asker(self) -> Actor:
        """Who asked for it, from where."""
        return Actor(**self.asked_by) if self.asked_by else Actor.system()

    @property
    def is_running(self) -> bool:
        """Whether a worker has it, or may still come to it."""
        until = self.lease_until or self.started_at + SILENCE
        return self.finished_at is None and until > now()

    @property
    def is_lost(self) -> bool:
        """Whether it has not ended, and its message or its worker is gone."""
        return self.finished_at is None and not self.is_running


def lost_verifications() -> "models.QuerySet[Verification]":
    """Those that are lost, of every organization."""
    moment = now()
    is_silent = Q(lease_until__lte=moment) | Q(lease_until=None, started_at__lte=moment - SILENCE)
    rows: models.QuerySet[Verification] = Verification.objects.filter(is_silent, finished_at=None)
    return rows
