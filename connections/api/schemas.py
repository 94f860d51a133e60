"""What the methods take: shapes only. The connectors say which settings and secrets there are."""

from typing import Any

from rest_framework import serializers

from connections.api.rows import STATES
from tenants.api import Day, IdField, PageSerializer, StrictSerializer


class Text(serializers.CharField):
    """Text, and nothing that would have to be turned into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Texts(serializers.DictField):
    """An object of texts by name; the connector says which names there are, and how long.

    `removable`: null stands for a name that is to go.
    """

    def __init__(self, *, removable: bool = False, **options: Any) -> None:
        child = Text(trim_whitespace=False, allow_blank=True, allow_null=removable)
        super().__init__(child=child, **options)


class Nothing(StrictSerializer):
    """A method without arguments."""


class OneRow(StrictSerializer):
    """A method on one row."""

    id = IdField()


class NewCredential(StrictSerializer):
    """credentials.create; also the credential inside connections.create."""

    label = Text(  # type: ignore[assignment]  # a field named as an attribute of all fields
        max_length=100, required=False, allow_blank=True
    )
    method = Text(max_length=40, required=False)
    settings = Texts(required=False)
    secrets = Texts()
    expiration_date = Day(required=False, allow_null=True)


class ChangedCredential(OneRow):
    """credentials.update. What is left out stays."""

    label = Text(  # type: ignore[assignment]
        max_length=100, required=False
    )
    settings = Texts(required=False, removable=True)
    secrets = Texts(required=False)
    expiration_date = Day(required=False, allow_null=True)


class NewConnection(StrictSerializer):
    """connections.create."""

    type = Text(max_length=40)
    name = Text(max_length=100)
    settings = Texts()
    credential = NewCredential(required=False)
    parent_id = IdField(required=False, allow_null=True)
    schedule = serializers.DictField(required=False)
    selection = serializers.DictField(required=False)


class ChangedConnection(OneRow):
    """connections.update. What identifies the connected thing cannot change."""

    name = Text(max_length=100, required=False)
    schedule = serializers.DictField(required=False)
    selection = serializers.DictField(required=False)


class VerifiedConnection(OneRow):
    """connections.verify."""

    credential_id = IdField(required=False)


class ConnectionList(PageSerializer):
    """connections.list."""

    type = Text(max_length=40, required=False)
    state = serializers.ChoiceField(choices=[*STATES.values(), "all"], required=False)
