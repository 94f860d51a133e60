"""Gives a connection a secret for its webhooks: `python -m tests.processes.hooked <id>`.

Prints where they deliver to, and the secret.
"""

import sys

import django


def main(key: int) -> None:
    from connections.models import Connection
    from connections.selectors import webhook_url
    from tests.hooks import secret_of

    connection = Connection.objects.get(pk=key)
    print(webhook_url(connection), secret_of(connection))


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))
