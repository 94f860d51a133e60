"""Makes and revokes API keys. A key is shown once; its hash is kept."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now
from rest_framework_api_key.crypto import KeyGenerator

from tenants.actor import Actor
from tenants.models import ApiKey, Membership, Organization, Scope
from tenants.roles import Role, at_most
from tenants.scopes import scopes_for
from tenants.services import audit
from tenants.services.errors import DoesNotFit, RoleTooHigh
from tenants.services.fields import clean_name


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
    _check_role(organization, role, by)
    key, prefix, hashed = KeyGenerator().generate()
    row = ApiKey.objects.create(
        organization=organization,
        name=clean_name(name),
        prefix=prefix,
        hash=hashed,
        scopes=_clean_scopes(scopes, role),
        role=role,
        made_by_id=maker,
        expires_at=_clean_end(expires_at),
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
    if not _reaches(key.organization_id, key.role, by):
        raise RoleTooHigh("This key has a higher role than you. Ask an owner to revoke it.")
    if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now()):
        return
    audit.record(
        organization=key.organization_id,
        event_type="api_keys.revoked",
        by=by,
        target=_target(key),
    )


def _check_role(organization: Organization, role: str, by: Actor) -> None:
    if role not in Role.values:
        raise DoesNotFit("role", "Choose one of the roles.")
    if not _reaches(organization.pk, role, by):
        raise RoleTooHigh("A key can have at most your own role.", fields={"role": "Too high."})


def _reaches(organization: int, role: str, by: Actor) -> bool:
    """Whether the actor's own role is at least this one. The system reaches all."""
    if by.type != "user":
        return True
    membership = Membership.objects.filter(organization=organization, user_id=by.id or 0).first()
    return membership is not None and at_most(role, membership.role)


def _clean_scopes(scopes: Iterable[str], role: str) -> list[str]:
    wanted = set(scopes)
    unknown = sorted(wanted - set(Scope.values))
    if unknown:
        raise DoesNotFit("scopes", f"There is no scope {', '.join(unknown)}.")
    if not wanted:
        raise DoesNotFit("scopes", "Choose at least one scope.")
    beyond = sorted(wanted - {scope.value for scope in scopes_for(role)})
    if beyond:
        raise DoesNotFit("scopes", f"The role {role} does not allow {', '.join(beyond)}.")
    return [scope for scope in Scope.values if scope in wanted]


def _clean_end(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= now():
        raise DoesNotFit("expires_at", "This moment has passed.")
    return expires_at


def _target(key: ApiKey) -> dict[str, object]:
    return {"type": "api_key", "id": key.pk, "name": key.name}
