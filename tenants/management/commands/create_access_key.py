"""`manage.py create_access_key --organization … --name …`: prints the id, then the secret."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.actor import Actor
from tenants.management import keys
from tenants.services.access_keys import make_access_key
from tenants.services.errors import Refused


class Command(BaseCommand):
    help = (
        "Make an access key for AWS's clients and print its id and its secret, a line each. "
        "The secret cannot be printed again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        keys.add_arguments(parser, scopes="connections:read,connections:write")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            row, secret = make_access_key(**keys.read(options), by=Actor.system("command line"))
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(f"{row.key_id}\n{secret}")
