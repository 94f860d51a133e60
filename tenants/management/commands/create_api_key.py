"""`manage.py create_api_key --organization … --name … --scopes …`: prints the key alone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.actor import Actor
from tenants.management import keys
from tenants.services.api_keys import make_api_key
from tenants.services.errors import Refused


class Command(BaseCommand):
    help = "Make an API key and print it. It cannot be printed again."

    def add_arguments(self, parser: CommandParser) -> None:
        keys.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _, key = make_api_key(**keys.read(options), by=Actor.system("command line"))
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(key)
