"""Connections that somebody began and did not finish."""

from dataclasses import dataclass

from django.db.models import Q

from connections.models import Draft, Verification
from connections.services.verification import judge_draft, latest_verification
from tenants.models import Organization, User

# Left behind at Bitbucket's consent page. One whose secret was refused and is erased is none.
EMPTY = Q(secrets__isnull=True, grant=None, settings={}, name="", verifications=None)


@dataclass(frozen=True, kw_only=True)
class UnfinishedDraft:
    """A draft, and how far it came."""

    row: Draft
    verification: Verification | None

    @property
    def is_verified(self) -> bool:
        """Whether its checks passed, but for the streams that it goes on without."""
        last = self.verification
        if last is None or last.finished_at is None or not self.row.found:
            return False
        return judge_draft(self.row, last).is_ok


def with_verification(draft: Draft) -> UnfinishedDraft:
    """A draft with its last verification."""
    return UnfinishedDraft(row=draft, verification=latest_verification(draft))


def unfinished_drafts(organization: Organization, user: User) -> list[UnfinishedDraft]:
    """What this person began, but for what is as empty as a new one; nobody else sees it."""
    rows = Draft.objects.for_organization(organization).filter(by=user, connection=None)
    drafts = list(rows.exclude(EMPTY).defer("secrets").select_related("grant"))
    last = {
        verification.draft_id: verification
        for verification in Verification.objects.filter(draft__in=drafts).order_by("pk")
    }
    return [UnfinishedDraft(row=draft, verification=last.get(draft.pk)) for draft in drafts]
