"""What the frame of every page shows: where one is, what one may do, what needs somebody."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from tenants import access, roles, selectors
from tenants.models import Membership, Organization
from tenants.roles import Permission


def frame(request: HttpRequest) -> dict[str, Any]:
    """`memberships`, `theme`, `sandbox_url` everywhere; in an organization also `organization`,
    `membership`, `can` (by the permission's name), `admins`, `owners` and `counts`.
    """
    user = getattr(request, "user", None)
    context: dict[str, Any] = {
        "sandbox_url": settings.SANDBOX_CONTROL_URL,
        "theme": getattr(user, "theme", "system"),
        "memberships": [],
    }
    if user is not None and user.is_authenticated:
        context["memberships"] = SimpleLazyObject(lambda: list(selectors.memberships_of(user)))
    membership = getattr(request, "membership", None)
    return {**context, **_inside(membership)} if membership else context


def _inside(membership: Membership) -> dict[str, Any]:
    organization = membership.organization
    return {
        "organization": organization,
        "membership": membership,
        "can": {p.value: roles.allows(membership.role, p) for p in Permission},
        "admins": SimpleLazyObject(lambda: selectors.admins_of(organization)),
        "owners": SimpleLazyObject(
            lambda: selectors.who_may(organization, Permission.MANAGE_ORGANIZATION)
        ),
        "counts": SimpleLazyObject(lambda: _counts(organization)),
    }


def _counts(organization: Organization) -> dict[str, int]:
    """Numbers beside the navigation, such as `needs_you`: `settings.FRAME_COUNTS` gives them.

    It names a function of an app above this one, which takes the organization.
    """
    path = getattr(settings, "FRAME_COUNTS", "")
    if not path:
        return {}
    with access.enter(organization):
        counts: dict[str, int] = import_string(path)(organization)
        return counts
