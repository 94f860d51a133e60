"""Makes and revokes access keys, with which AWS's clients sign. The secret is shown once."""

import secrets
import string
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from tenants.actor import Actor
from tenants.models import AccessKey, Organization, SignedCall
from tenants.services import audit
from tenants.services.errors import RoleTooHigh
from tenants.services.fields import clean_name
from tenants.services.key_rules import check_role, clean_end, clean_scopes, reaches
from tenants.signature import TOLERATED

PREFIX = "TRIB"  # ids look like AWS's: 20 capitals and digits
IDS = string.ascii_uppercase + "234567"
SECRETS = string.ascii_letters + string.digits


@transaction.atomic
def make_access_key(
    *,
    organization: Organization,
    name: str,
    scopes: Iterable[str],
    role: str,
    by: Actor,
    expires_at: datetime | None = None,
) -> tuple[AccessKey, str]:
    """Make an access key of at most the maker's role. Gives the row and its secret.

    The system (the command line) makes keys without a maker: their role alone counts.
    Raises DoesNotFit, RoleTooHigh.
    """
    check_role(organization, role, by)
    secret = _random(SECRETS, 40)
    row = AccessKey(
        organization=organization,
        name=clean_name(name),
        key_id=PREFIX + _random(IDS, 16),
        scopes=clean_scopes(scopes, role),
        role=role,
        made_by_id=by.id if by.type == "user" else None,
        expires_at=clean_end(expires_at),
        secrets={"secret": secret},
    )
    row.save()
    audit.record(
        organization=organization,
        event_type="access_keys.created",
        by=by,
        target=_target(row),
        changes={"scopes": [[], row.scopes], "role": ["", role]},
    )
    return row, secret


@transaction.atomic
def revoke_access_key(*, key: AccessKey, by: Actor) -> None:
    """End a key of at most the actor's role at once, and erase its secret. Raises RoleTooHigh."""
    if not reaches(key.organization_id, key.role, by):
        raise RoleTooHigh("This key has a higher role than you. Ask an owner to revoke it.")
    rows = AccessKey.objects.filter(pk=key.pk, revoked_at__isnull=True)
    if not rows.update(revoked_at=now(), secrets=None):
        return
    audit.record(
        organization=key.organization_id,
        event_type="access_keys.revoked",
        by=by,
        target=_target(key),
    )


def sweep_signed_calls() -> None:
    """Forget the calls whose signatures are too old to be taken again. Outside of organizations."""
    SignedCall.objects.filter(made_at__lt=now() - 3 * TOLERATED).delete()


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def _target(key: AccessKey) -> dict[str, object]:
    return {"type": "access_key", "id": key.pk, "name": key.name}
