"""The demo's owner, organizations and API keys, in the database."""

from collections.abc import Mapping
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from tenants import access
from tenants.actor import Actor
from tenants.adapters import SIGN_IN_PROVIDER
from tenants.models import ApiKey, AuditEvent, Membership, Organization, Scope, User
from tenants.roles import Role
from tenants.services.api_keys import make_api_key, revoke_api_key
from tenants.services.organizations import create_organization

OWNER = settings.DEMO_OWNER  # the simulated Bitbucket knows her too
ACME = "Acme"
EMPTY = "Second organization"
KEY_NAME = "demo"


def are_others() -> bool:
    """Whether the database has users, and the demo's owner is none of them."""
    if User._meta.db_table not in connection.introspection.table_names():
        return False
    return User.objects.exists() and not User.objects.filter(email=OWNER).exists()


@transaction.atomic
def owner() -> User:
    """The demo's owner, and the two organizations that are hers."""
    found = User.objects.filter(email=OWNER).first()
    if found is not None:
        return found
    made = User.objects.create_user(OWNER, name="Ada Admin")
    for name in (ACME, EMPTY):
        create_organization(name=name, owner=made, by=Actor.for_user(made))
    return made


@transaction.atomic
def may_sign_in_with_bitbucket(person: User, account: Mapping[str, str]) -> None:
    """Let “Continue with Bitbucket” lead to this person, as if both had been connected before."""
    EmailAddress.objects.update_or_create(
        user=person, email=person.email, defaults={"verified": True, "primary": True}
    )
    SocialAccount.objects.update_or_create(
        provider=SIGN_IN_PROVIDER,
        uid=account["account_id"],
        defaults={"user": person, "extra_data": dict(account)},
    )


def acme(of: User) -> Organization:
    """The organization that holds the connections: her first one, whatever it is called by now."""
    hers = Membership.objects.select_related("organization").filter(user=of, role=Role.OWNER)
    return hers.order_by("pk")[0].organization


def connected_before(organization: Organization) -> dict[str, int]:
    """Every connection that was ever made: under which name, and its id.

    The audit trail knows it also of those that were renamed or deleted since.
    """
    with access.enter(organization):
        events = AuditEvent.objects.for_organization(organization)
        targets = events.filter(event_type="connections.created").values_list("target", flat=True)
        return {target["name"]: target["id"] for target in targets}


@transaction.atomic
def fresh_key(organization: Organization, of: User, *, name: str = KEY_NAME) -> str:
    """A key for 24 hours; those of this name that were made before are revoked."""
    by = Actor.for_user(of)
    with access.enter(organization):
        for old in ApiKey.objects.for_organization(organization).filter(name=name, revoked_at=None):
            revoke_api_key(key=old, by=by)
        _, secret = make_api_key(
            organization=organization,
            name=name,
            scopes=[scope.value for scope in Scope],
            role=Role.OWNER,
            expires_at=timezone.now() + timedelta(hours=24),
            by=by,
        )
    return secret
