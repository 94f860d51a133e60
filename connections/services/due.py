"""What is done without being asked: daily verification, sending again, and forgetting."""

from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from connections.dispatch import RUN_VERIFICATION, VERIFY_CONNECTION, send_on_commit
from connections.models import Connection, Credential, Draft, Verification, lost_verifications
from connections.services.consumers import forget_unused_consumers
from connections.services.grants import erase_every_unused
from connections.services.verification import verify_credential
from connections.services.webhooks import look
from tenants.actor import Actor

AGAIN = timedelta(hours=1)  # a daily verification that was sent and lost is sent again then
GIVEN_UP = timedelta(hours=1)  # after its beginning a lost verification is not sent again
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


def send_lost() -> int:
    """Send again the verifications whose message or worker was lost. Returns how many.

    It needs no note that it was sent: of two messages the second finds the row taken or ended.
    """
    rows = lost_verifications().filter(started_at__gt=now() - GIVEN_UP)
    lost = rows.order_by("started_at", "id").values_list("organization_id", "pk")[:BATCH]
    for organization, verification in lost:
        send_on_commit(RUN_VERIFICATION, organization, verification)
    return len(lost)


def verify_all(connection: Connection) -> None:
    """Verify every credential of a connection that a person has not switched off, and look whether
    its webhooks are still there.
    """
    rows = Credential.objects.filter(connection=connection, deleted_at=None, disabled_at=None)
    for credential in rows.order_by("id"):
        verify_credential(credential=credential)
    look(connection=connection, by=Actor.system())


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
    forget_unused_consumers()
    Draft.objects.filter(touched_at__lte=moment - ABANDONED).delete()
    return erased
