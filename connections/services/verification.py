"""Proves that a draft's secret, a credential, or a secret just given works."""

import time
from collections.abc import Collection, Mapping
from math import ceil

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from connections.connectors import connector
from connections.connectors.base import (
    CheckResult,
    Connector,
    Entry,
    Identity,
    RemoteRepository,
)
from connections.connectors.findings import Finding, OnResult, as_row, conclude, from_row
from connections.dispatch import RUN_VERIFICATION, send_on_commit
from connections.models import SILENCE, Credential, Draft, Verification
from connections.services.entries import draft_entry, entry_for
from connections.services.errors import VerificationsTooMany
from connections.services.selections import copied_streams, wanted_streams
from connections.services.states import apply_finding
from connections.services.trail import author_of, note, note_draft_use, note_verification
from connections.transport.errors import ConsentEnded, ProviderError
from connections.transport.ledger import Purpose
from tenants.actor import Actor

MINUTE = 60  # seconds
A_MINUTE = 30  # verifications that people and keys of an organization may start


def verify_entry(
    kind: Connector,
    entry: Entry,
    streams: Collection[str] = (),
    on_result: OnResult | None = None,
    *,
    whole_list: bool = False,
) -> Finding:
    """Run the checks for these streams, without rows; inside the request, for the API.

    Makes requests: never call it in a transaction.
    """
    return kind.verify(entry, streams=streams, on_result=on_result, whole_list=whole_list)


def begin_draft_verification(
    *, draft: Draft, by: Actor | None = None, send: bool = True
) -> Verification:
    """Let the checks of a draft run in the background. Raises VerificationsTooMany.

    `by` is its author, as the request tells them. Without `send` the caller runs them itself.
    """
    count_verification(draft.organization_id)
    with transaction.atomic():
        Verification.objects.filter(draft=draft).delete()
        kind = connector(draft.connector)
        asked = Verification(draft=draft, asked_by=(by or author_of(draft)).as_values())
        row = _begin(asked, kind, draft.method, draft_streams(kind, draft))
        if send:
            send_on_commit(RUN_VERIFICATION, draft.organization_id, row.pk)
    return row


def begin_credential_verification(*, credential: Credential, by: Actor) -> Verification:
    """Let the checks of a credential run in the background. Raises VerificationsTooMany."""
    count_verification(credential.organization_id)
    with transaction.atomic():
        row = _new_for(credential, by)
        note("credentials.verification_asked", credential, by)
        send_on_commit(RUN_VERIFICATION, credential.organization_id, row.pk)
    return row


def run_verification(verification: Verification) -> None:
    """Run the checks of a verification that was begun; not if it has ended, or a worker has it."""
    credential = verification.credential
    if credential is None:
        verify_draft(verification)
    elif credential.deleted_at is None and credential.connection.deleted_at is None:
        verify_credential(credential=credential, verification=verification)


def verify_draft(verification: Verification) -> Verification:
    """Run the checks of a draft now, and keep what they found beside its secret."""
    draft = verification.draft
    if draft is None or not _take(verification):
        return verification
    kind = connector(draft.connector)
    streams = draft_streams(kind, draft)
    try:
        entry = draft_entry(draft)
    except ProviderError as error:
        return _finish(verification, refused(kind, draft.method, streams, error))
    finding = verify_entry(kind, entry, streams, _Recorder(verification), whole_list=True)
    with transaction.atomic():
        if _finish(verification, finding).finished_at is not None:
            _keep(draft, finding)
        note_draft_use(
            draft,
            verification.asker,
            reason="verification",
            requests=finding.requests,
            outcome=finding.outcome,
        )
    return verification


def verify_credential(
    *,
    credential: Credential,
    by: Actor | None = None,
    purpose: Purpose = Purpose.VERIFY,
    verification: Verification | None = None,
) -> Verification:
    """Run the checks of a credential now; its state and its connection's follow from them.

    With `by`, somebody asked for it: it counts towards the limit. Raises VerificationsTooMany.
    """
    if by is not None:
        count_verification(credential.organization_id)
    row = verification or _new_for(credential, by)
    if not _take(row):
        return row
    connection = credential.connection
    kind = connector(connection.connector)
    streams = copied_streams(connection)
    try:
        entry = entry_for(credential, purpose=purpose)
    except ProviderError as error:
        finding = refused(kind, credential.method, streams, error)
    else:
        finding = verify_entry(kind, entry, streams, _Recorder(row))
    with transaction.atomic():
        _finish(row, finding)
        note_verification(credential, finding, row.asker)
    apply_finding(credential, finding)
    return row


def draft_streams(kind: Connector, draft: Draft) -> tuple[str, ...]:
    """The streams that a draft is to copy: those selected, without those left out."""
    wanted = wanted_streams(kind, draft.selection or {})
    return tuple(key for key in wanted if key not in draft.left_out)


def latest_verification(draft: Draft) -> Verification | None:
    """The last proof of a draft's secret, finished or not."""
    return Verification.objects.filter(draft=draft).order_by("-id").first()


def judge_draft(draft: Draft, verification: Verification) -> Finding:
    """What the checks mean for the streams that the draft wants by now."""
    kind = connector(draft.connector)
    checks = [from_row(row) for row in verification.checks]
    return conclude(checks, streams=draft_streams(kind, draft), declared=kind.streams)


def count_verification(organization_id: int) -> None:
    """Count one more in the minute that began with the first. Raises VerificationsTooMany.

    In the database's cache two at once may be counted as one: a limit, not a ledger.
    """
    moment = time.time()
    since = cache.get_or_set(f"verifications:{organization_id}", moment, MINUTE) or moment
    key = f"verifications:{organization_id}:{since}"
    cache.add(key, 0, 2 * MINUTE)
    try:
        count = cache.incr(key)
    except ValueError:
        count = 1  # it was dropped between the two statements
    if count > A_MINUTE:
        raise VerificationsTooMany(retry_after=max(1, ceil(since + MINUTE - moment)))


class _Recorder:
    """Writes each change of a check into the row, so that a page can watch. A sign of life."""

    def __init__(self, verification: Verification) -> None:
        self._verification = verification

    def __call__(self, result: CheckResult) -> None:
        row = as_row(result)
        checks = self._verification.checks
        names = [check["name"] for check in checks]
        if result.name in names:
            checks[names.index(result.name)] = row
        else:
            checks.append(row)
        Verification.objects.filter(pk=self._verification.pk, finished_at=None).update(
            checks=checks, lease_until=now() + SILENCE
        )


def _begin(
    row: Verification, kind: Connector, method: str, streams: Collection[str]
) -> Verification:
    row.checks = [as_row(CheckResult.waiting(check)) for check in kind.checks_for(method, streams)]
    row.save()
    return row


def _take(row: Verification) -> bool:
    """Lease it: of two messages for the same one, the second finds it taken."""
    moment = now()
    is_free = Q(lease_until=None) | Q(lease_until__lte=moment)
    mine = Verification.objects.filter(is_free, pk=row.pk, finished_at=None)
    return bool(mine.update(lease_until=moment + SILENCE))


def _new_for(credential: Credential, by: Actor | None) -> Verification:
    kind = connector(credential.connection.connector)
    streams = copied_streams(credential.connection)
    asked = Verification(credential=credential, asked_by=by.as_values() if by else {})
    return _begin(asked, kind, credential.method, streams)


def refused(
    kind: Connector, method: str, streams: Collection[str], error: ProviderError
) -> Finding:
    """The finding where not even an entry could be had: every check fails for that reason."""
    checks = [CheckResult.waiting(check) for check in kind.checks_for(method, streams)]
    known = set(Verification.Outcome.values)
    for check in checks:
        check.state, check.message, check.mended_by = "done", error.message, error.mended_by
        check.outcome = error.code if error.code in known else "unexpected_response"
        if isinstance(error, ConsentEnded):
            check.outcome = "invalid_credentials"
    return conclude(checks, streams=streams, declared=kind.streams)


def _finish(verification: Verification, finding: Finding) -> Verification:
    """Store the end. A row that was withdrawn in the meantime (new secret typed) stays away."""
    ended = {
        "outcome": finding.outcome,
        "checks": finding.check_rows(),
        "finished_at": now(),
    }
    touched = Verification.objects.filter(pk=verification.pk, finished_at=None).update(**ended)
    if touched:
        for name, value in ended.items():
            setattr(verification, name, value)
    return verification


def _keep(draft: Draft, finding: Finding) -> None:
    found: Identity = finding.identity
    rows = [_repository(one) for one in finding.repositories]
    settings = dict(draft.settings)
    if found.connected_name:
        settings |= draft.at(found.connected_name)
    Draft.objects.filter(pk=draft.pk).update(
        left_out=list(dict.fromkeys([*draft.left_out, *finding.out_of_reach])),
        found={**vars(found), "scopes": list(found.scopes)},
        repositories=rows,
        settings=settings,
        name=draft.name or found.connected_name,
    )
    draft.refresh_from_db()


def seen(row: Mapping[str, str]) -> RemoteRepository:
    """A repository out of Draft.repositories."""
    return RemoteRepository(**row)


def _repository(one: RemoteRepository) -> dict[str, str]:
    return {"id": one.id, "name": one.name, "updated_on": one.updated_on}
