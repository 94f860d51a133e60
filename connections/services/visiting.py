"""What the holder of a connect link does: enters a secret, chooses a workspace, hands it over."""

from collections.abc import Mapping, Sequence

from django.core.cache import cache
from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.base import UnknownMethod
from connections.connectors.findings import Finding
from connections.models import Connection, ConnectLink, Draft, Verification, open_links
from connections.services.drafts import (
    choose_workspace,
    fill_draft,
    finish_draft,
    leave_out,
    start_draft,
)
from connections.services.errors import (
    AlreadyConnected,
    AlreadyFinished,
    LinkEnded,
    Refused,
    TriesTooMany,
    UnknownMethodGiven,
)
from connections.services.granting import tick_for_link
from connections.services.grants import erase_unused
from connections.services.locks import hold
from connections.services.pasting import complete_places
from connections.services.states import PASSING
from connections.services.verification import (
    begin_draft_verification,
    judge_draft,
    run_verification,
)
from tenants.actor import Actor
from tenants.services import audit

TRIES, TRIES_IN = 20, 600  # secrets and consents that a link takes in so many seconds
ENDED = "This link was used, revoked, or is too old. Ask for another."


def draft_of_link(link: ConnectLink) -> Draft:
    """What the holder of a link has entered so far; begun where there is nothing yet."""
    found: Draft | None = Draft.objects.filter(link=link).select_related("connection").first()
    return found or start_draft(
        organization=link.organization,
        connector=link.connection.connector,
        by=None,
        actor=Actor.system(),
        connection=link.connection,
        link=link,
    )


def enter(
    *,
    link: ConnectLink,
    method: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    by: Actor | None = None,
) -> Verification:
    """Keep what the holder of a link typed, and let its checks begin. `by` is a visitor, as the
    request tells of them.

    Makes requests where nobody said yet what is connected: never call it in a transaction. Raises
    InvalidFields, UnknownMethodGiven, LinkEnded, TriesTooMany, VerificationsTooMany.
    """
    count_try(link)
    draft, actor = draft_of_link(link), actor_of(link, by)
    known = dict(link.connection.settings)
    if not draft.is_bound:
        kind = connector_of(draft.connector)
        try:
            way = kind.method(method)
        except UnknownMethod as error:
            raise UnknownMethodGiven(str(error)) from None
        known |= complete_places(kind, way, settings, secrets, tried_for=draft, by=actor)
    fill_draft(
        draft=draft,
        method=method,
        settings={**settings, **known},
        secrets=secrets,
        actor=actor,
    )
    return begin(link, draft, actor)


def begin(link: ConnectLink, draft: Draft, by: Actor | None = None) -> Verification:
    """Let the checks of a link's draft run in the background; where they pass, it is handed over.

    Raises LinkEnded, VerificationsTooMany.
    """
    if not open_links().filter(pk=link.pk).exists():
        raise LinkEnded(ENDED)
    Draft.objects.filter(pk=draft.pk).update(found={})
    return begin_draft_verification(draft=draft, by=actor_of(link, by))


def choose_place(
    *, link: ConnectLink, draft: Draft, workspace: str, by: Actor | None = None
) -> Verification:
    """Take this one, by id or slug, of those that the authorization reaches: it is ticked by that.

    Raises InvalidFields, LinkEnded, TriesTooMany, VerificationsTooMany.
    """
    count_try(link)
    actor = actor_of(link, by)
    with transaction.atomic():
        tick_for_link(draft=draft, workspace=workspace, by=actor)
        choose_workspace(draft=draft, workspace=workspace, actor=actor)
    return begin(link, draft, actor)


def run_and_follow(verification: Verification) -> None:
    """Run a verification that was begun; where it is of a link, what follows from it too."""
    run_verification(verification)
    if verification.draft_id is None:
        return
    rows = Verification.objects.select_related("draft__link__connection", "draft__grant")
    row = rows.filter(pk=verification.pk).exclude(finished_at=None).first()
    if row is not None and row.draft is not None and row.draft.link is not None:
        conclude(row.draft.link, row.draft, row)


def conclude(link: ConnectLink, draft: Draft, verification: Verification) -> Finding:
    """Where the checks passed, finish the draft and spend the link; of what can never pass, and is
    no use without a stream either, nothing is kept. Why it could not be stored stands in `found`.
    """
    finding = judge_draft(draft, verification)
    if finding.is_ok:
        try:
            spend(link, draft, verification.asker)
        except Refused as refused:
            _forget(draft)
            Draft.objects.filter(pk=draft.pk).update(found={"refused": refused.message})
    elif not finding.streams_available and finding.outcome not in PASSING:
        _forget(draft)
    return finding


def go_on_without(
    *, link: ConnectLink, draft: Draft, streams: Sequence[str], by: Actor | None = None
) -> Connection:
    """Hand it over without the streams whose check fails.

    Raises LinkEnded, and what finish_draft raises.
    """
    leave_out(draft=draft, streams=streams)
    return spend(link, draft, by)


@transaction.atomic
def spend(link: ConnectLink, draft: Draft, by: Actor | None = None) -> Connection:
    """Let the draft take over, once. Raises LinkEnded, and what finish_draft raises."""
    if hold(link.connection_id).deleted_at is not None:  # a member restores it, nobody else
        raise LinkEnded(ENDED)
    actor = actor_of(link, by)
    name = str(draft.found.get("acts_as_name") or "")[:150]
    try:
        connection = finish_draft(draft=draft, actor=actor)
    except (Draft.DoesNotExist, AlreadyFinished) as error:
        raise LinkEnded(str(error) or ENDED) from error
    except AlreadyConnected as error:  # by which name is no business of the holder's
        raise LinkEnded("This workspace is connected already.") from error
    if not open_links().filter(pk=link.pk).update(used_at=now(), used_by_name=name):
        raise LinkEnded(ENDED)
    Connection.objects.filter(pk=connection.pk, finished_by_name=actor.name).update(
        finished_by_name=f"{name or 'Somebody'} (by a connect link)"
    )
    audit.record(
        organization=link.organization_id,
        event_type="links.used",
        by=actor,
        target={"type": "link", "id": link.pk, "name": link.connection.name},
    )
    return connection


def actor_of(link: ConnectLink, visitor: Actor | None = None) -> Actor:
    """Whoever holds a link, acting: a visitor, as the request tells of them."""
    return (visitor or Actor.visitor()).holding(link.pk, link.asked_by_name)


def count_try(link: ConnectLink) -> None:
    """Count one more try of this link. Raises TriesTooMany."""
    key = f"connect-link:{link.pk}"
    cache.add(key, 0, TRIES_IN)
    try:
        count = cache.incr(key)
    except ValueError:
        count = 1  # it ran out between the two statements
    if count > TRIES:
        raise TriesTooMany(retry_after=TRIES_IN)


def _forget(draft: Draft) -> None:
    Draft.objects.filter(pk=draft.pk).update(secrets=None, grant=None)
    erase_unused(draft.grant_id)
