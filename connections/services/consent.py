"""One round trip to the provider's consent page. Consumed once, in the same browser session."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now

from connections.connectors import connector as connector_of
from connections.connectors.base import Authorizations, Reach, RefreshedTokens
from connections.models import Connection, Consent, Draft, Grant
from connections.services.drafts import finish_draft, start_draft, use_grant
from connections.services.errors import (
    ConsentElsewhere,
    ConsentExpired,
    ConsentFailed,
    ConsentNotAllowed,
    ConsentRefused,
    ConsentUnknown,
    ConsentUsed,
    NoConsumer,
    Refused,
)
from connections.services.verification import begin_draft_verification, verify_draft
from connections.transport.errors import ProviderError
from tenants import access
from tenants.actor import Actor
from tenants.models import Membership, User
from tenants.roles import Permission, allows
from tenants.secrets import keyed_hash
from tenants.services import audit

CALLBACK_PATH = "/consent/bitbucket/"
OPEN_FOR = timedelta(minutes=15)


def begin_consent(
    *,
    user: User,
    session_key: str,
    return_path: str,
    draft: Draft | None = None,
    connection: Connection | None = None,
    actor: Actor | None = None,
) -> str:
    """The address of the consent page for a draft; for a connection a draft is begun first.

    The answer is taken only from the same session and user, once, for 15 minutes. It goes on to
    `return_path`, a path of ours; `{draft}` in it becomes the draft's public id. Raises NoConsumer.
    """
    draft = draft or _draft_for(connection, user, actor)
    authorizations = _authorizations(draft.connector)
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
    return authorizations.authorize_url(state=state, redirect_uri=callback_url())


def complete_consent(
    *, state: str, session_key: str, user: User, code: str = "", error: str = ""
) -> Consent:
    """Take the answer of the consent page: the draft of the consent gets the authorization.

    Enters the organization itself: the callback's address does not name it. Makes requests: never
    call it in a transaction. A connection that is renewed is verified and has the new credential
    when this returns. Raises ConsentFailed in its kinds, with `return_path` where it is known.
    """
    rows = Consent.objects.filter(state_hash=_state_hash(state)).select_related("draft")
    consent: Consent | None = rows.first()
    if consent is None:
        raise ConsentUnknown("This answer belongs to no question of ours. Begin again.")
    if consent.session_hash != _session_hash(session_key) or consent.user_id != user.pk:
        raise ConsentElsewhere(
            "This was begun in another browser or by somebody else. Begin again here."
        )
    with access.enter(consent.organization_id):
        _consume(consent)
        _check_role(consent, user)
        if error or not code:
            raise ConsentRefused(_told(error), return_path=consent.return_path)
        _authorize(consent, code, user)
        if consent.connection is not None and consent.connection.identity:
            _renew(consent, user)
    return consent


def callback_url() -> str:
    """Where the consent page sends the browser back: the consumer at Bitbucket must name it."""
    return f"{settings.PUBLIC_URL}{CALLBACK_PATH}"


def _draft_for(connection: Connection | None, user: User, actor: Actor | None) -> Draft:
    if connection is None:
        raise ConsentFailed("A consent is for a draft or for a connection.")
    return start_draft(
        organization=connection.organization,
        connector=connection.connector,
        by=user,
        actor=actor or Actor.for_user(user),
        connection=connection,
    )


def _authorizations(connector: str) -> Authorizations:
    authorizations = connector_of(connector).authorizations
    if authorizations is None or not authorizations.consumer:
        raise NoConsumer(
            "This installation has no OAuth consumer. An operator can set "
            "BITBUCKET_OAUTH_CLIENT_ID and BITBUCKET_OAUTH_CLIENT_SECRET; "
            "until then, use a token."
        )
    return authorizations


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


def _authorize(consent: Consent, code: str, user: User) -> None:
    draft = consent.draft
    if draft is None:
        raise ConsentExpired("What this was for is gone. Begin again.")
    authorizations = _authorizations(draft.connector)
    try:
        tokens = authorizations.exchange(code=code, redirect_uri=callback_url())
        reach = authorizations.reach(tokens.access_token)
    except ProviderError as error:
        raise ConsentFailed(error.message, return_path=consent.return_path) from error
    try:
        _keep(consent, draft, tokens, reach, user)
    except Refused as error:
        raise ConsentFailed(error.message, return_path=consent.return_path) from error


def _renew(consent: Consent, user: User) -> None:
    """Prove the new authorization of a connection, then let it take over."""
    draft = consent.draft
    if draft is None:
        return
    verify_draft(begin_draft_verification(draft=draft, send=False))
    try:
        finish_draft(draft=draft, actor=Actor.for_user(user))
    except Refused as error:
        raise ConsentFailed(error.message, return_path=consent.return_path) from error


@transaction.atomic
def _keep(
    consent: Consent, draft: Draft, tokens: RefreshedTokens, reach: Reach, user: User
) -> None:
    actor = Actor.for_user(user)
    grant = Grant.objects.create(
        organization_id=consent.organization_id,
        connector=draft.connector,
        consumer=consent.consumer,
        identity=reach.account,
        identity_name=reach.account_name,
        workspaces=[vars(one) for one in reach.workspaces],
        scopes=list(tokens.scopes),
        secrets={"access_token": tokens.access_token, "refresh_token": tokens.refresh_token},
        expires_at=tokens.expires_at,
    )
    use_grant(draft=draft, grant=grant, actor=actor)
    audit.record(
        organization=consent.organization_id,
        event_type="grants.created",
        by=actor,
        target={"type": "grant", "id": grant.pk, "name": str(grant)},
        changes={"workspaces": [one.slug for one in reach.workspaces]},
    )


def _told(error: str) -> str:
    if error == "access_denied":
        return "You chose not to allow it at Bitbucket. Nothing was stored."
    return "Bitbucket sent no authorization back. Try again, or use a token."


def _state_hash(state: str) -> str:
    return keyed_hash("consent.state", state)


def _session_hash(session_key: str) -> str:
    return keyed_hash("consent.session", session_key)
