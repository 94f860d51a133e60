"""What is done without being asked: daily verification, and forgetting."""

from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from connections.dispatch import VERIFY_CONNECTION, send_on_commit
from connections.models import Connection, Credential, Draft, Verification
from connections.services.grants import erase_every_unused
from connections.services.verification import verify_credential

AGAIN = timedelta(hours=1)  # a verification that was sent and lost is sent again then
ABANDONED = timedelta(days=7)  # after its last touch a draft goes altogether
BATCH = 100


def send_due() -> int:
    """Send the connections whose verification is due to the workers. Returns how many."""
    moment = now()
    states = (Connection.Status.AVAILABLE, Connection.Status.ERROR)
    rows = Connection.objects.filter(
        status__in=states, deleted_at=None, next_verification_at__lte=moment
    )
    sent = 0
    for connection in rows.order_by("next_verification_at", "id")[:BATCH]:
        mine = Connection.objects.filter(
            pk=connection.pk, next_verification_at=connection.next_verification_at
        )
        if mine.update(next_verification_at=moment + AGAIN):
            send_on_commit(VERIFY_CONNECTION, connection.organization_id, connection.pk)
            sent += 1
    return sent


def verify_all(connection: Connection) -> None:
    """Verify every credential of a connection that a person has not switched off."""
    rows = Credential.objects.filter(connection=connection, deleted_at=None, disabled_at=None)
    for credential in rows.order_by("id"):
        verify_credential(credential=credential)


def erase_expired_drafts() -> int:
    """Erase the secrets of drafts that nobody touched for 60 minutes. Returns how many.

    And, whatever became of their drafts and credentials, the tokens of grants that none names.
    """
    moment = now()
    old = Draft.objects.filter(expires_at__lte=moment)
    with_secret = old.filter(Q(secrets__isnull=False) | Q(grant__isnull=False))
    Verification.objects.filter(draft__in=with_secret).delete()
    erased: int = with_secret.update(secrets=None, grant=None)
    erase_every_unused()
    Draft.objects.filter(touched_at__lte=moment - ABANDONED).delete()
    return erased
