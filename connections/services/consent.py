"""One round trip to the provider's consent page. Consumed once, in the same browser session."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.models import Connection, Consent, Draft, Verification, open_links
from connections.services.consumers import authorizations_by, authorizations_of, callback_url
from connections.services.drafts import finish_draft, start_draft, use_grant
from connections.services.errors import (
    ConsentElsewhere,
    ConsentExpired,
    ConsentFailed,
    ConsentNotAllowed,
    ConsentRefused,
    ConsentUnknown,
    ConsentUsed,
    LinkEnded,
    Refused,
)
from connections.services.granting import keep_grant
from connections.services.trail import note_tried
from connections.services.verification import begin_draft_verification, verify_draft
from connections.services.visiting import ENDED, actor_of, begin, count_try
from connections.transport.errors import ProviderError
from connections.transport.ledger import tallied
from tenants import access
from tenants.actor import Actor
from tenants.models import Membership, User
from tenants.roles import Permission, allows
from tenants.secrets import keyed_hash

OPEN_FOR = timedelta(minutes=15)


def begin_consent(
    *,
    user: User | None,
    session_key: str,
    return_path: str,
    draft: Draft | None = None,
    connection: Connection | None = None,
    actor: Actor | None = None,
) -> str:
    """The address of the consent page for a draft; for a connection a draft is begun first.

    The answer is taken only from the same session and user, once, for 15 minutes. It goes on to
    `return_path`, a path of ours; `{draft}` in it becomes the draft's public id. The holder of a
    connect link is no user; what their browser keeps stands for the session. Raises NoConsumer.
    """
    draft = draft or _draft_for(connection, user, actor)
    authorizations = authorizations_of(draft.organization_id, draft.connector)
    path = return_path.replace("{draft}", str(draft.public_id))
    if not path.startswith("/") or not url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        raise ConsentFailed("The way back must be a path of this site.")
    state = secrets.token_urlsafe(32)
    Consent.objects.create(
        draft=draft,
        organization_id=draft.organization_id,
        connection=draft.connection,
        user=user,
        purpose="renew" if draft.connection else "connect",
        state_hash=_state_hash(state),
        session_hash=_session_hash(session_key),
        consumer=authorizations.consumer,
        return_path=path,
        expires_at=now() + OPEN_FOR,
    )
    return authorizations.authorize_url(state=state, redirect_uri=callback_url(authorizations))


def complete_consent(
    *,
    state: str,
    session_key: str,
    user: User,
    code: str = "",
    error: str = "",
    by: Actor | None = None,
) -> Consent:
    """Take the answer of the consent page: the draft of the consent gets the authorization.

    Enters the organization itself: the callback's address does not name it. Makes requests: never
    call it in a transaction. A connection that is renewed is verified and has the new credential
    when this returns. Raises ConsentFailed in its kinds, with `return_path` where it is known.
    """
    consent = _asked(state, session_key, user)
    with access.enter(consent.organization_id):
        _consume(consent)
        _check_role(consent, user)
        if error or not code:
            raise ConsentRefused(_told(error), return_path=consent.return_path)
        actor = by or Actor.for_user(user)
        _authorize(consent, code, actor)
        if consent.connection is not None and consent.connection.identity:
            _finish(consent, actor)
    return consent


def is_of_link(state: str) -> bool:
    """Whether this answer belongs to the holder of a connect link, who is no user."""
    return Consent.objects.filter(state_hash=_state_hash(state), user=None).exists()


def complete_link_consent(
    *, state: str, session_key: str, code: str = "", error: str = "", by: Actor | None = None
) -> Verification | None:
    """The same for the holder of a connect link: its checks begin; None where the workspace is
    still to be chosen.

    Raises ConsentFailed in its kinds, LinkEnded, TriesTooMany.
    """
    consent = _asked(state, session_key, None)
    draft = consent.draft
    with access.enter(consent.organization_id):
        _consume(consent)
        link = open_links().filter(pk=draft.link_id or 0).first() if draft is not None else None
        if draft is None or link is None:
            raise LinkEnded(ENDED)
        if error or not code:
            raise ConsentRefused(_told(error), return_path=consent.return_path)
        count_try(link)
        actor = actor_of(link, by)
        _authorize(consent, code, actor)
        if not draft.place:
            return None
        try:
            return begin(link, draft, actor)
        except Refused as refused:
            raise ConsentFailed(refused.message, return_path=consent.return_path) from refused


def is_answered(draft: Draft, session_key: str) -> bool:
    """Whether the authorization of a draft came by the last consent, and that was given there."""
    last = Consent.objects.filter(draft=draft).exclude(used_at=None).order_by("-used_at").first()
    mine = _session_hash(session_key)
    return draft.grant_id is not None and last is not None and last.session_hash == mine


def _asked(state: str, session_key: str, user: User | None) -> Consent:
    rows = Consent.objects.filter(state_hash=_state_hash(state)).select_related("draft__link")
    consent: Consent | None = rows.first()
    if consent is None:
        raise ConsentUnknown("This answer belongs to no question of ours. Begin again.")
    user_id = user.pk if user is not None else None
    if consent.session_hash != _session_hash(session_key) or consent.user_id != user_id:
        raise ConsentElsewhere(
            "This was begun in another browser or by somebody else. Begin again here."
        )
    return consent


def _draft_for(connection: Connection | None, user: User | None, actor: Actor | None) -> Draft:
    if connection is None or user is None:
        raise ConsentFailed("A consent is for a draft or for a connection.")
    return start_draft(
        organization=connection.organization,
        connector=connection.connector,
        by=user,
        actor=actor or Actor.for_user(user),
        connection=connection,
    )


def _consume(consent: Consent) -> None:
    used = Consent.objects.filter(pk=consent.pk, used_at__isnull=True).update(used_at=now())
    if not used:
        raise ConsentUsed("This answer was taken already.", return_path=consent.return_path)
    if consent.expires_at <= now():
        raise ConsentExpired(
            "More than 15 minutes passed. Authorize again; what you typed is kept.",
            return_path=consent.return_path,
        )


def _check_role(consent: Consent, user: User) -> None:
    membership = Membership.objects.filter(
        organization_id=consent.organization_id, user=user
    ).first()
    if membership is None or not allows(membership.role, Permission.CONNECT):
        raise ConsentNotAllowed("You may no longer connect anything in this organization.")


def _authorize(consent: Consent, code: str, by: Actor) -> None:
    draft = consent.draft
    if draft is None:
        raise ConsentExpired("What this was for is gone. Begin again.")
    # Through the consumer that asked, which may have been replaced by now.
    authorizations = authorizations_by(draft.organization_id, draft.connector, consent.consumer)
    try:
        with tallied() as tally:
            tokens = authorizations.exchange(code=code, redirect_uri=callback_url(authorizations))
            reach = authorizations.reach(tokens.access_token, organization=consent.organization_id)
    except ProviderError as error:
        _note_unkept(draft, by, tally.requests, error.code)
        raise ConsentFailed(error.message, return_path=consent.return_path) from error
    try:
        with transaction.atomic():
            grant = keep_grant(
                consent=consent,
                draft=draft,
                tokens=tokens,
                reach=reach,
                by=by,
                requests=tally.requests,
            )
            use_grant(draft=draft, grant=grant, actor=by)
    except Refused as error:
        _note_unkept(draft, by, tally.requests, error.code)
        raise ConsentFailed(error.message, return_path=consent.return_path) from error


def _note_unkept(draft: Draft, by: Actor, requests: int, outcome: str) -> None:
    """Write down that an authorization was fetched, or asked for, that is not kept."""
    method = connector_of(draft.connector).consent_method
    key = method.key if method is not None else ""
    note_tried(draft, by, method=key, requests=requests, reason="consent", outcome=outcome)


def _finish(consent: Consent, actor: Actor) -> None:
    """Prove the new authorization of a connection, then let it take over."""
    draft = consent.draft
    if draft is None:
        return
    verify_draft(begin_draft_verification(draft=draft, by=actor, send=False))
    try:
        finish_draft(draft=draft, actor=actor)
    except Refused as error:
        raise ConsentFailed(error.message, return_path=consent.return_path) from error


def _told(error: str) -> str:
    if error == "access_denied":
        return "You chose not to allow it at Bitbucket. Nothing was stored."
    return "Bitbucket sent no authorization back. Try again, or use a token."


def _state_hash(state: str) -> str:
    return keyed_hash("consent.state", state)


def _session_hash(session_key: str) -> str:
    return keyed_hash("consent.session", session_key)
