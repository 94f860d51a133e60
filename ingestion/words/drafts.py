"""Unfinished connections as the overview says them."""

from dataclasses import dataclass

from django.urls import reverse

from connections.models import Draft
from ingestion.selectors.connections import connector_label
from ingestion.selectors.drafts import UnfinishedDraft


@dataclass(frozen=True, kw_only=True)
class DraftLine:
    """“Engineering workspace: verified, repositories not chosen.” and where it goes on."""

    row: Draft
    title: str
    where: str
    url: str


def draft_line(slug: str, draft: UnfinishedDraft) -> DraftLine:
    """One draft as a line."""
    row = draft.row
    where, step = _where(draft)
    return DraftLine(
        row=row,
        title=row.name or row.place or connector_label(row.connector),
        where=where,
        url=reverse(step, args=[slug, row.public_id]),
    )


def _where(draft: UnfinishedDraft) -> tuple[str, str]:
    if draft.is_verified:
        return "verified, repositories not chosen", "ingestion:wizard_choose"
    if draft.verification:
        return "not verified yet", "connections:wizard_verify"
    return "begun, no secret entered", "connections:wizard_how"
