"""What the commands that make keys have in common."""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.timezone import now

from tenants.models import Organization
from tenants.roles import Role
from tenants.scopes import scopes_for

LONGEST = 3650  # days


def add_arguments(parser: CommandParser, *, scopes: str | None = None) -> None:
    """Name the options. `scopes` is the default; without one they must be given."""
    parser.add_argument("--organization", required=True, help="its slug")
    parser.add_argument("--name", required=True, help="what will use it")
    parser.add_argument(
        "--scopes",
        required=scopes is None,
        default=scopes,
        help="all, or names with commas between" + (f"; without: {scopes}" if scopes else ""),
    )
    parser.add_argument("--role", choices=Role.values, default=Role.ADMIN.value)
    parser.add_argument("--days", type=int, help="after which it ends; without: never")


def read(options: dict[str, Any]) -> dict[str, Any]:
    """What was typed, as the services take it. Raises CommandError."""
    organization = Organization.objects.filter(slug=options["organization"]).first()
    if organization is None:
        raise CommandError(f"There is no organization {options['organization']!r}.")
    return {
        "organization": organization,
        "name": options["name"],
        "scopes": _scopes(options["scopes"], options["role"]),
        "role": options["role"],
        "expires_at": _end(options["days"]),
    }


def _scopes(given: str, role: str) -> list[str]:
    if given == "all":
        return [scope.value for scope in scopes_for(role)]
    names = [name.strip() for name in given.split(",") if name.strip()]
    if "all" in names:
        raise CommandError("--scopes is either all, or names with commas between.")
    return names


def _end(days: int | None) -> datetime | None:
    if days is None:
        return None
    if not 0 < days <= LONGEST:
        raise CommandError(f"--days is from 1 to {LONGEST}.")
    return now() + timedelta(days=days)
