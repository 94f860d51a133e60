"""Makes and revokes API keys. A key is shown once; its hash is kept."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now
from rest_framework_api_key.crypto import KeyGenerator

from tenants.actor import Actor
from tenants.models import ApiKey, Organization
from tenants.services import audit
from tenants.services.errors import RoleTooHigh
from tenants.services.fields import clean_name
from tenants.services.key_rules import check_role, clean_end, clean_scopes, reaches


@transaction.atomic
def make_api_key(
    *,
    organization: Organization,
    name: str,
    scopes: Iterable[str],
    role: str,
    by: Actor,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key of at most the maker's role. Gives the row and the key itself.

    The system (the command line) makes keys without a maker: their role alone counts.
    Raises DoesNotFit, RoleTooHigh.
    """
    maker = by.id if by.type == "user" else None
    check_role(organization, role, by)
    key, prefix, hashed = KeyGenerator().generate()
    row = ApiKey.objects.create(
        organization=organization,
        name=clean_name(name),
        prefix=prefix,
        hash=hashed,
        scopes=clean_scopes(scopes, role),
        role=role,
        made_by_id=maker,
        expires_at=clean_end(expires_at),
    )
    audit.record(
        organization=organization,
        event_type="api_keys.created",
        by=by,
        target=_target(row),
        changes={"scopes": [[], row.scopes], "role": ["", role]},
    )
    return row, str(key)


@transaction.atomic
def revoke_api_key(*, key: ApiKey, by: Actor) -> None:
    """End a key of at most the actor's role at once. Revoking twice changes nothing.

    Raises RoleTooHigh.
    """
    if not reaches(key.organization_id, key.role, by):
        raise RoleTooHigh("This key has a higher role than you. Ask an owner to revoke it.")
    if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now()):
        return
    audit.record(
        organization=key.organization_id,
        event_type="api_keys.revoked",
        by=by,
        target=_target(key),
    )


def _target(key: ApiKey) -> dict[str, object]:
    return {"type": "api_key", "id": key.pk, "name": key.name}
