"""Notes in the audit trail which secrets a sync has used, and how often."""

from connections.models import Credential
from connections.services.trail import note_use
from ingestion.models import Sync
from tenants.actor import Actor


def note_uses(sync_id: int) -> None:
    """One event for each credential, in the transaction that ends the sync."""
    uses = Sync.objects.values_list("uses", flat=True).get(pk=sync_id)
    if not uses:
        return
    used = Credential.objects.filter(pk__in=[int(key) for key in uses])
    for credential in used.select_related("connection"):
        requests = uses[str(credential.pk)]
        note_use(credential, Actor.system(), reason=f"sync {sync_id}", requests=requests)
