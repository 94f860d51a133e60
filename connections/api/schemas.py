"""What the methods take: shapes only. The connectors say which settings and secrets there are."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from connections.api.declared import (
    all_schedules,
    all_selections,
    changed_settings,
    connector_settings,
    method_secrets,
    method_settings,
    new_connections,
    replaced_secrets,
)
from connections.api.rows import STATES
from connections.connectors import connectors
from connections.services.tags import tags_schema
from tenants.api import Choice, Day, Flag, IdField, PageSerializer, StrictSerializer, Text
from tenants.api.shapes import Schema


class Texts(serializers.DictField):
    """An object of texts by name; the connector says which names there are, and how long.

    `removable`: null stands for a name that is to go.
    """

    def __init__(self, of: Callable[[], Schema], *, removable: bool = False, **options: Any):
        child = Text(trim_whitespace=False, allow_blank=True, allow_null=removable)
        super().__init__(child=child, **options)
        self._of = of

    @property
    def json_schema(self) -> Schema:
        return self._of()


class Nested(serializers.DictField):
    """An object that a service checks, by the schema that stands beside that check."""

    def __init__(self, of: Callable[[], Schema], **options: Any) -> None:
        super().__init__(**options)
        self._of = of

    @property
    def json_schema(self) -> Schema:
        return self._of()


class Type(Text):
    """The key of a connector."""

    @property
    def json_schema(self) -> Schema:
        return {"type": "string", "enum": list(connectors())}


class OneRow(StrictSerializer):
    """A method on one row."""

    id = IdField()


class NewCredential(StrictSerializer):
    """credentials.create; also the credential inside connections.create."""

    label = Text(  # type: ignore[assignment]  # a field named as an attribute of all fields
        max_length=100, required=False, allow_blank=True
    )
    method = Text(max_length=40, required=False)
    settings = Texts(method_settings, required=False)
    secrets = Texts(method_secrets)
    expiration_date = Day(required=False, allow_null=True)


class ChangedCredential(OneRow):
    """credentials.update. What is left out stays."""

    label = Text(  # type: ignore[assignment]
        max_length=100, required=False
    )
    settings = Texts(changed_settings, required=False, removable=True)
    secrets = Texts(replaced_secrets, required=False)
    expiration_date = Day(required=False, allow_null=True)
    refuse_fewer = Flag(
        required=False,
        help_text="Refuse new `secrets` with `precondition_failed` where they do not see a "
        "repository that the old ones see; nothing is stored then.",
    )


class NewConnection(StrictSerializer):
    """connections.create."""

    type = Type(max_length=40)
    name = Text(max_length=100)
    settings = Texts(connector_settings)
    credential = NewCredential(required=False)
    parent_id = IdField(required=False, allow_null=True)
    schedule = Nested(all_schedules, required=False)
    selection = Nested(all_selections, required=False)
    tags = Texts(tags_schema, required=False)

    def variants(self) -> list[Schema]:
        return new_connections()


class ChangedConnection(OneRow):
    """connections.update. What identifies the connected thing cannot change."""

    name = Text(max_length=100, required=False)
    schedule = Nested(all_schedules, required=False)
    selection = Nested(all_selections, required=False)
    tags = Texts(tags_schema, required=False)


class VerifiedConnection(OneRow):
    """connections.verify."""

    credential_id = IdField(required=False)


class ConnectionList(PageSerializer):
    """connections.list."""

    type = Type(max_length=40, required=False)
    state = Choice([*STATES.values(), "all"], required=False)
    tag = Text(max_length=400, required=False)


class RegisteredWebhooks(StrictSerializer):
    """webhooks.register."""

    rotate = Flag(required=False, default=False)


class LookedAt(StrictSerializer):
    """webhooks.status."""

    look = Flag(required=False, default=False)
