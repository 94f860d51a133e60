"""Connections that somebody began and did not finish."""

from dataclasses import dataclass

from connections.models import Draft, Verification
from tenants.models import Organization, User


@dataclass(frozen=True, kw_only=True)
class UnfinishedDraft:
    """A draft, and how far it came."""

    row: Draft
    verification: Verification | None

    @property
    def is_verified(self) -> bool:
        return bool(self.verification and self.verification.outcome == Verification.Outcome.OK)


def unfinished_drafts(organization: Organization, user: User) -> list[UnfinishedDraft]:
    """What this person began; nobody else sees it."""
    rows = Draft.objects.for_organization(organization).filter(by=user, connection=None)
    drafts = list(rows.defer("secrets"))
    last = {
        verification.draft_id: verification
        for verification in Verification.objects.filter(draft__in=drafts).order_by("pk")
    }
    return [UnfinishedDraft(row=draft, verification=last.get(draft.pk)) for draft in drafts]
