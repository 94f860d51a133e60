"""What a verification that ran inside a request leaves behind on the rows that it is about."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from django.utils.timezone import now

from connections.connectors.base import Entry, RemoteRepository
from connections.connectors.findings import Finding
from connections.models import Connection, Credential, Verification
from connections.services.entering import Given
from connections.services.entries import secret_hash
from connections.services.errors import OtherWorkspace, VerificationFailed
from connections.services.rows import become_available
from connections.services.trail import TriedFor, note_tried, note_verification
from tenants.actor import Actor


def connected(connection: Connection) -> dict[str, str]:
    """The settings of a connection with which a new secret is tried; none while it is not known."""
    place = connection.identity or connection.place
    return connection.at(place) if place else {}


def check_finding(finding: Finding, connection: Connection) -> None:
    """Raises VerificationFailed, or OtherWorkspace for a secret of another workspace."""
    if not finding.of_secret.is_ok:
        raise VerificationFailed(finding)
    if connection.identity and finding.identity.connected != connection.identity:
        raise OtherWorkspace(finding.identity.connected_name, connection.place)


def tried(tried_for: TriedFor, given: Given, finding: Finding, by: Actor) -> Callable[[], None]:
    """Notes that a new secret was verified, where it is not kept: for `trail.unless_kept`."""
    return partial(
        note_tried,
        tried_for,
        by,
        method=given.method.key,
        requests=finding.requests,
        outcome=finding.outcome,
    )


def fill_from(credential: Credential, entry: Entry, finding: Finding) -> None:
    """Note on an unsaved credential what its entry and its checks tell."""
    credential.secret_hash = secret_hash(entry)
    credential.quota_subject = finding.identity.quota_subject
    credential.identity = finding.identity.acts_as
    credential.acts_as = finding.identity.acts_as_name
    credential.kind, credential.sees = finding.identity.kind, finding.identity.sees
    credential.settings = with_uuids(credential.settings, finding.repositories)
    credential.scopes = list(finding.identity.scopes)
    credential.missing_scopes, credential.status_message = [], ""
    if credential.disabled_at is None:
        credential.status = Credential.Status.ACTIVE


def with_uuids(
    settings: Mapping[str, str], repositories: Sequence[RemoteRepository]
) -> dict[str, str]:
    """The settings of a credential with its repository by its id, which no rename changes."""
    if settings.get("repository") and len(repositories) == 1:
        return {**settings, "repository": repositories[0].id}
    return dict(settings)


def keep_proof(credential: Credential, finding: Finding, by: Actor) -> Verification:
    """Keep a verification that ran inside a request, and note the use of the secret."""
    note_verification(credential, finding, by)
    return Verification.objects.create(
        credential=credential,
        organization_id=credential.organization_id,
        outcome=finding.outcome,
        checks=finding.check_rows(),
        finished_at=now(),
    )


def finish_pending(connection: Connection, finding: Finding, by: Actor) -> None:
    """The first credential that works finishes a pending connection."""
    if connection.status == Connection.Status.PENDING or not connection.identity:
        become_available(connection, finding.identity, by)
