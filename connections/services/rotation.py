"""Exchanges a secret for a new one: verified, compared, then it takes over, here and elsewhere.

The new secret waits in a draft of its author until it takes over. The old one stays in use until
then; a sync that runs goes on with it to the end of its slice, or until Bitbucket refuses it.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.base import Entry, Identity
from connections.connectors.findings import Finding
from connections.connectors.schema import InvalidFields
from connections.models import Credential, Draft, Verification
from connections.services.comparing import Comparison, compare, seen_before
from connections.services.entering import Given, read_given
from connections.services.errors import (
    NotConfirmed,
    NotVerified,
    TwinRefused,
    VersionChanged,
)
from connections.services.locks import hold, next_version
from connections.services.proving import check_finding, connected, fill_from, keep_proof, tried
from connections.services.rows import clean_name
from connections.services.selections import copied_streams
from connections.services.states import apply_finding
from connections.services.trail import note
from connections.services.verification import count_verification, verify_entry
from connections.signals import secret_changed
from tenants.actor import Actor
from tenants.models import User

KEPT = timedelta(minutes=60)  # a draft forgets its secret then


def begin_rotation(
    *,
    credential: Credential,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    by: User,
    actor: Actor,
    label: str = "",
    expiration_date: date | None = None,
) -> Draft:
    """Verify a new secret for a credential, and keep it until it takes over.

    Makes requests: never call it in a transaction. Raises InvalidFields, VerificationFailed,
    OtherWorkspace, VerificationsTooMany; nothing is stored then.
    """
    connection = credential.connection
    kind = connector(connection.connector)
    if credential.grant_id is not None:
        raise InvalidFields({"secrets": "A Bitbucket authorization is renewed in the browser."})
    name = clean_name(label, field="label") if label.strip() else credential.label
    given = read_given(kind, method=credential.method, settings=settings, secrets=secrets)
    count_verification(credential.organization_id)
    streams = copied_streams(connection)
    finding = verify_entry(kind, _entry(given, credential), streams, whole_list=True)
    tried(credential, given, finding, actor)()
    check_finding(finding, connection)
    before = seen_before(finding, credential, actor)
    return _keep(credential, given, finding, before, by, name, expiration_date)


def comparison_of(draft: Draft) -> Comparison:
    """What the draft's secret sees beside the one that it is to replace."""
    new = {one["id"]: one["name"] for one in draft.repositories}
    return compare(new, draft.found["saw"])


def twins_of(credential: Credential) -> list[Credential]:
    """The other credentials of the organization that hold the same secret."""
    if not credential.secret_hash:
        return []
    rows = Credential.objects.for_organization(credential.organization_id).filter(
        secret_hash=credential.secret_hash, deleted_at=None, connection__deleted_at=None
    )
    rows = rows.exclude(pk=credential.pk).select_related("connection")
    return list(rows.order_by("connection__name", "pk"))


def take_over(
    *, draft: Draft, actor: Actor, also: Collection[int] = (), confirmed: bool = False
) -> Credential:
    """Let a draft's secret take over, and in those of its twins that are named.

    For each twin it is verified first; makes requests then. Raises NotConfirmed where it sees
    fewer repositories, TwinRefused, NotVerified, VersionChanged, and Draft.DoesNotExist where it
    has taken over already.
    """
    credential = draft.credential
    if credential is None:
        raise NotVerified
    comparison = comparison_of(draft)
    if comparison.asks and not confirmed:
        raise NotConfirmed(len(comparison.fewer))
    twins = [one for one in twins_of(credential) if one.pk in also]
    given = _given(draft)
    proofs = [(one, _prove(one, given, actor)) for one in twins]
    with transaction.atomic():
        for pk in sorted({one.connection_id for one in [credential, *twins]}):
            hold(pk)
        kept = Draft.objects.select_for_update().get(pk=draft.pk)
        _check(kept, credential)
        _store(credential, given, _finding(kept), actor, comparison, kept)
        for twin, finding in proofs:
            _check(kept, twin)
            _store(twin, given, finding, actor, None, kept)
        Verification.objects.filter(draft=kept).update(draft=None, credential=credential)
        kept.delete()
    credential.refresh_from_db()
    return credential


def _entry(given: Given, credential: Credential) -> Entry:
    return given.entry(connected(credential.connection), credential.organization_id)


@transaction.atomic
def _keep(
    credential: Credential,
    given: Given,
    finding: Finding,
    before: dict[str, str] | None,
    by: User,
    label: str,
    expiration_date: date | None,
) -> Draft:
    Draft.objects.filter(credential=credential, by=by).delete()
    draft = Draft.objects.create(
        organization_id=credential.organization_id,
        connector=credential.connection.connector,
        connection=credential.connection,
        credential=credential,
        method=given.method.key,
        name=label,
        settings=given.settings,
        secrets=given.secrets,
        found={
            **vars(finding.identity),
            "scopes": list(finding.identity.scopes),
            "saw": before,
            "replaces": credential.secret_hash,
            "expiration_date": expiration_date.isoformat() if expiration_date else None,
        },
        repositories=[
            {"id": one.id, "name": one.name, "updated_on": one.updated_on}
            for one in finding.repositories
        ],
        by=by,
        expires_at=now() + KEPT,
    )
    Verification.objects.create(
        draft=draft,
        organization_id=draft.organization_id,
        outcome=finding.outcome,
        checks=finding.check_rows(),
        finished_at=now(),
    )
    return draft


def _given(draft: Draft) -> Given:
    if not draft.secrets or draft.expires_at <= now():
        raise NotVerified("The new secret was erased after 60 minutes. Enter it again.")
    method = connector(draft.connector).method(draft.method)
    return Given(method=method, settings=dict(draft.settings), secrets=dict(draft.secrets))


def _prove(twin: Credential, given: Given, by: Actor) -> Finding:
    connection = twin.connection
    kind = connector(connection.connector)
    count_verification(twin.organization_id)
    finding = verify_entry(kind, _entry(given, twin), copied_streams(connection), whole_list=True)
    if not finding.is_ok or finding.identity.connected != connection.identity:
        tried(twin, given, finding, by)()
        raise TwinRefused(connection, finding.message)
    return finding


def _check(draft: Draft, credential: Credential) -> None:
    """Raises VersionChanged where the secret is another one by now, or the credential is gone."""
    rows = Credential.objects.select_for_update(no_key=True, of=("self",))
    row = rows.filter(pk=credential.pk, deleted_at=None, connection__deleted_at=None).first()
    if row is None or row.secret_hash != draft.found["replaces"]:
        raise VersionChanged
    credential.refresh_from_db()


def _finding(draft: Draft) -> Finding:
    """What the checks of the draft found, again."""
    named = {name: draft.found[name] for name in vars(Identity())}
    identity = Identity(**{**named, "scopes": tuple(draft.found["scopes"])})
    return Finding(outcome="ok", message="", checks=(), identity=identity)


def _store(
    credential: Credential,
    given: Given,
    finding: Finding,
    actor: Actor,
    comparison: Comparison | None,
    draft: Draft,
) -> None:
    credential.secrets, credential.settings = given.secrets, given.settings
    last = draft.found["expiration_date"]
    credential.expiration_date = date.fromisoformat(last) if last else None
    if comparison is not None:
        credential.label = draft.name
    next_version(credential)
    fill_from(credential, _entry(given, credential), finding)
    credential.save()
    told: dict[str, Any] = {"secrets": "changed"}
    if comparison is not None and comparison.fewer:
        told["fewer"] = list(comparison.fewer[:20])
    note("credentials.rotated", credential, actor, told)
    if finding.checks:
        keep_proof(credential, finding, actor)
    apply_finding(credential, finding)
    shown = [one.id for one in finding.repositories] or [one["id"] for one in draft.repositories]
    secret_changed.send(sender=Credential, credential=credential, shown=shown)
