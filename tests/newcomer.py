"""Makes a user with organizations: `python -m tests.newcomer <e-mail> <password> <name>…`."""

import sys

import django


def main(email: str, password: str, *names: str) -> None:
    from tenants.actor import Actor
    from tenants.models import User
    from tenants.services.organizations import create_organization

    user = User.objects.create_user(email, password, name=email.split("@")[0].title())
    for name in names:
        create_organization(name=name, owner=user, by=Actor.for_user(user))


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
