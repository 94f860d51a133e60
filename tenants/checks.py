"""Are the keys there with which the stored secrets were encrypted?"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from tenants.secrets import FINGERPRINT_LENGTH, SecretsField, keyring

_SEALED_TEXT = re.compile(rf"([0-9a-f]{{{FINGERPRINT_LENGTH}}}):")


def missing_keys() -> list[str]:
    """The fingerprints of keys that stored secrets need and FERNET_KEYS lacks."""
    return sorted(set(_fingerprints()) - keyring().fingerprints)


def require_keys() -> None:
    """Stop a process that could not read what is stored. Raises ImproperlyConfigured."""
    missing = missing_keys()
    if missing:
        raise ImproperlyConfigured(_sentence(missing))


@register(Tags.database)
def check_keys(
    app_configs: Sequence[AppConfig] | None, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """`manage.py check --database default`."""
    missing = missing_keys() if databases else []
    return [Error(_sentence(missing), id="tenants.E001")] if missing else []


def _sentence(missing: list[str]) -> str:
    return (
        f"FERNET_KEYS lacks {'a key' if len(missing) == 1 else 'keys'} with which stored secrets "
        f"were encrypted: {', '.join(missing)} (the fingerprint). Put it back, behind the first."
    )


def _fingerprints() -> Iterator[str]:
    tables = set(connection.introspection.table_names())
    for model in apps.get_models():
        if model._meta.db_table not in tables:
            continue  # before the first migration
        for field in model._meta.concrete_fields:
            if isinstance(field, SecretsField):
                yield from _of_column(model._meta.db_table, field.column)
    if Authenticator._meta.db_table in tables:
        yield from _of_second_factors()


def _of_column(table: str, column: str) -> Iterator[str]:
    name, of = connection.ops.quote_name(column), connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT substr({name}, 1, {FINGERPRINT_LENGTH}) FROM {of} "  # noqa: S608
            f"WHERE {name} IS NOT NULL"
        )
        for (fingerprint,) in cursor.fetchall():
            yield bytes(fingerprint).decode("ascii", "replace")


def _of_second_factors() -> Iterator[str]:
    for data in Authenticator.objects.values_list("data", flat=True).iterator():
        for value in data.values():
            match = _SEALED_TEXT.match(value) if isinstance(value, str) else None
            if match:
                yield match[1]
