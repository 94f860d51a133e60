"""Makes and changes organizations."""

import re
from collections.abc import Iterator
from itertools import count

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from tenants.actor import Actor
from tenants.models import Membership, Organization, User
from tenants.roles import Role
from tenants.services import audit
from tenants.services.fields import clean_name, clean_timezone

LONGEST_SLUG = 50
# Letters that are no others with accents, which slugify drops.
LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


@transaction.atomic
def create_organization(
    *, name: str, by: Actor, owner: User | None = None, timezone: str = "UTC"
) -> Organization:
    """Make an organization; its slug comes from the name. Raises DoesNotFit.

    Without `owner` it has no member yet: the command line makes such ones.
    """
    cleaned = clean_name(name)
    organization = _insert(cleaned, clean_timezone(timezone))
    audit.record(
        organization=organization,
        event_type="organizations.created",
        by=by,
        target=_target(organization),
    )
    if owner is not None:
        Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    return organization


@transaction.atomic
def update_organization(
    *, organization: Organization, name: str, timezone: str, by: Actor
) -> Organization:
    """Change name and time zone; the slug stays, since links use it. Raises DoesNotFit."""
    row = Organization.objects.select_for_update().get(pk=organization.pk)
    wanted = {"name": clean_name(name), "timezone": clean_timezone(timezone)}
    changes = {
        field: [getattr(row, field), value]
        for field, value in wanted.items()
        if getattr(row, field) != value
    }
    if changes:
        Organization.objects.filter(pk=row.pk).update(**wanted)
        row.refresh_from_db()
        audit.record(
            organization=row,
            event_type="organizations.updated",
            by=by,
            target=_target(row),
            changes=changes,
        )
    return row


def _insert(name: str, timezone: str) -> Organization:
    """Take the first free slug of `acme`, `acme-2`, `acme-3` …, also when two ask at once."""
    while True:
        slug = next(slug for slug in _slugs(name) if not _is_taken(slug))
        try:
            with transaction.atomic():
                return Organization.objects.create(name=name, slug=slug, timezone=timezone)
        except IntegrityError:
            if not _is_taken(slug):  # then it was not about the slug
                raise


def _slugs(name: str) -> Iterator[str]:
    plain = slugify(name.lower().translate(LETTERS))
    base = re.sub(r"[-_]+", "-", plain)[:LONGEST_SLUG].strip("-") or "organization"
    yield base
    for number in count(2):
        ending = f"-{number}"
        yield base[: LONGEST_SLUG - len(ending)].rstrip("-") + ending


def _is_taken(slug: str) -> bool:
    return Organization.objects.filter(slug=slug).exists()


def _target(organization: Organization) -> dict[str, object]:
    return {"type": "organization", "id": organization.pk, "name": organization.name}
