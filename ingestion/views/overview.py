"""The overview of an organization: does anything need me?"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now

from connections.models import Connection
from ingestion.selectors import connections as selectors
from ingestion.selectors.connections import ConnectionRow
from ingestion.selectors.drafts import unfinished_drafts
from ingestion.selectors.freshness import freshness_of
from ingestion.selectors.syncs import unfinished_syncs, with_strip_start
from ingestion.words.drafts import DraftLine, draft_line
from ingestion.words.endings import banners
from ingestion.words.expiry import expiring
from ingestion.words.overview import headline
from ingestion.words.problems import problems
from tenants.roles import Permission, allows
from tenants.views.base import OrganizationView

SHOWN = 25
WATCHED = (Connection.Status.AVAILABLE, Connection.Status.ERROR)


class Overview(OrganizationView):
    """Health, freshness, what runs now, what needs a person."""

    def get(self, request: HttpRequest) -> HttpResponse:
        connections = list(with_strip_start(selectors.connections_of(self.organization)))
        context = {
            "nav": "overview",
            "as_of": now(),
            "drafts": self._drafts(),
            **self._health(connections),
        }
        return render(request, "ingestion/overview.html", context)

    def _health(self, connections: Sequence[Connection]) -> dict[str, Any]:
        pending = [c for c in connections if c.status == Connection.Status.PENDING]
        needing = selectors.needing(self.organization)
        shown = selectors.rows(_worst_first(connections, needing)[:SHOWN], strip=True)
        watched = [c for c in connections if c.status in WATCHED]
        return {
            "headline": headline(
                fresh=sum(f.is_fresh for f in self._freshness(shown, watched)),
                total=len(watched),
                needing=len(needing),
                pending=len(pending),
                paused=len(connections) - len(pending) - len(watched),
                only=watched[0].name if len(watched) == 1 else "",
            ),
            "counts": {"needs_you": len(needing)},
            "pending": pending,
            "rows": shown,
            "total": len(connections) - len(pending),
            "soon": expiring(shown),
            "endings": banners(c for c in connections if c not in pending),
            "problems": problems(self.organization.slug, shown),
            "running": list(unfinished_syncs(self.organization)[:10]),
        }

    def _freshness(self, shown: list[ConnectionRow], watched: list[Connection]) -> list[Any]:
        known = {row.connection.pk: row.freshness for row in shown}
        known |= freshness_of([c for c in watched if c.pk not in known])
        return [known[connection.pk] for connection in watched]

    def _drafts(self) -> list[DraftLine]:
        if not allows(self.membership.role, Permission.CONNECT):
            return []
        found = unfinished_drafts(self.organization, self.user)
        return [draft_line(self.organization.slug, draft) for draft in found]


def _worst_first(connections: Sequence[Connection], needing: set[int]) -> list[Connection]:
    shown = [c for c in connections if c.status != Connection.Status.PENDING]
    return sorted(shown, key=lambda c: (c.pk not in needing, c.status not in WATCHED))
