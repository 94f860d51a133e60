"""`manage.py create_api_key --organization … --name … --scopes …`: prints the key alone."""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from tenants.actor import Actor
from tenants.models import Organization
from tenants.roles import Role
from tenants.scopes import scopes_for
from tenants.services.api_keys import make_api_key
from tenants.services.errors import Refused

LONGEST = 3650  # days


class Command(BaseCommand):
    help = "Make an API key and print it. It cannot be printed again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="its slug")
        parser.add_argument("--name", required=True, help="what will use it")
        parser.add_argument("--scopes", required=True, help="all, or names with commas between")
        parser.add_argument("--role", choices=Role.values, default=Role.ADMIN.value)
        parser.add_argument("--days", type=int, help="after which it ends; without: never")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization {options['organization']!r}.")
        try:
            _, key = make_api_key(
                organization=organization,
                name=options["name"],
                scopes=_scopes(options["scopes"], options["role"]),
                role=options["role"],
                expires_at=_end(options["days"]),
                by=Actor.system("command line"),
            )
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(key)


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
