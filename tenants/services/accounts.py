"""Accounts of people. They belong to no organization, so to no audit trail."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from tenants.models import User
from tenants.services.errors import DoesNotFit
from tenants.services.fields import clean_name, clean_timezone


@contextmanager
def one_sign_up_at_a_time() -> Iterator[None]:
    """A transaction in which nobody else signs up: who may is asked inside, and stays true.

    The lock is the row that stands for the table of users, since there may be no user yet.
    """
    with transaction.atomic():
        ContentType.objects.select_for_update().get(app_label="tenants", model="user")
        yield


def update_account(*, user: User, name: str, timezone: str, theme: str) -> User:
    """Change name, time zone (empty: the organization's) and theme. Raises DoesNotFit."""
    user.name = clean_name(name, longest=150) if name.strip() else ""
    user.timezone = clean_timezone(timezone) if timezone else ""
    if theme not in User.Theme.values:
        raise DoesNotFit("theme", "Choose one of the themes.")
    user.theme = User.Theme(theme)
    user.save(update_fields=["name", "timezone", "theme"])
    return user
