"""`manage.py create_organization <name>`: prints the slug, and a link for the first owner."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from tenants.actor import Actor
from tenants.roles import Role
from tenants.services.errors import Refused
from tenants.services.invitations import invite
from tenants.services.organizations import create_organization


class Command(BaseCommand):
    help = "Make an organization. Its slug comes from the name and is printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--timezone", default="UTC")
        parser.add_argument(
            "--invite-owner",
            action="store_true",
            help="also print a link with which the first owner joins, within seven days",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = Actor.system("command line")
        try:
            made = create_organization(name=options["name"], timezone=options["timezone"], by=by)
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(made.slug)
        if options["invite_owner"]:
            _, token = invite(organization=made, role=Role.OWNER, by=by)
            path = reverse("tenants:invitation_accept", args=[token])
            self.stdout.write(f"{settings.PUBLIC_URL}{path}")
