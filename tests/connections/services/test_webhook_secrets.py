"""The secrets that sign deliveries."""

from datetime import timedelta

import pytest
from django.core import serializers
from django.db.models import F

from connections.models import Connection, WebhookSecret
from connections.selectors import webhook_secrets, webhook_url
from connections.services.errors import ConnectionDeleted
from connections.services.webhook_secrets import MOST_BEFORE, OVERLAP, forget_secrets, make_secret
from tests.factories import ConnectionFactory


def plain(row: WebhookSecret) -> str:
    return (row.secrets or {})["secret"]


def test_a_connection_without_webhooks_believes_no_signature(connection):
    assert webhook_secrets(connection) == ()


def test_the_secret_before_signs_for_a_day_more(connection):
    first, second = make_secret(connection), make_secret(connection)

    assert webhook_secrets(connection) == (plain(second), plain(first))
    assert plain(first) != plain(second)


def test_after_the_overlap_only_the_current_secret_signs(connection):
    make_secret(connection)
    second = make_secret(connection)

    rows = WebhookSecret.objects.exclude(valid_until=None)
    rows.update(valid_until=F("valid_until") - OVERLAP - timedelta(seconds=1))

    assert webhook_secrets(connection) == (plain(second),)


def test_what_signs_no_more_is_forgotten_with_the_next_rotation(connection):
    first = make_secret(connection)
    make_secret(connection)
    WebhookSecret.objects.filter(pk=first.pk).update(valid_until=F("created_at"))

    make_secret(connection)

    assert not WebhookSecret.objects.filter(pk=first.pk).exists()


def test_few_are_believed_however_often_one_rotates(connection):
    made = [plain(make_secret(connection)) for _ in range(MOST_BEFORE + 3)]

    assert webhook_secrets(connection) == tuple(reversed(made[2:]))


def test_each_connection_has_secrets_of_its_own(connection):
    other = ConnectionFactory.create(organization=connection.organization)
    mine, theirs = make_secret(connection), make_secret(other)

    forget_secrets(connection)

    assert webhook_secrets(connection) == ()
    assert webhook_secrets(other) == (plain(theirs),)
    assert plain(mine) != plain(theirs)


def test_a_deleted_connection_gets_no_secret(connection):
    Connection.objects.filter(pk=connection.pk).update(deleted_at=F("created_at"))

    with pytest.raises(ConnectionDeleted):
        make_secret(connection)


def test_a_secret_is_shown_by_no_row_and_no_dump(connection):
    row = make_secret(connection)

    shown = f"{row} {row!r} {row.secrets!r} {serializers.serialize('json', [row])}"

    assert plain(row) not in shown


def test_webhooks_deliver_to_the_public_address(connection, settings):
    settings.PUBLIC_URL = "https://tributary.example.com"

    assert webhook_url(connection) == (
        f"https://tributary.example.com/webhooks/bitbucket_cloud/{connection.public_id}"
    )
