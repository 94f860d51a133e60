"""What a method was sent, read strictly: no unknown keys, no key twice, dotted names of errors."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from tenants import strict_json
from tenants.converters import LARGEST_ID
from tenants.refusals import InvalidArguments
from tenants.strict_json import FormData

LARGEST_PAGE = 100
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    rf"{_DAY.pattern}[T ][0-9]{{2}}:[0-9]{{2}}"
    r"(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
FLAGS = {"1": True, "true": True, "0": False, "false": False}  # in an address or a form
_DIGITS = re.compile(r"[0-9]{1,19}")


class StrictSerializer(serializers.Serializer[Any]):
    """A declaration of what a method takes. Unknown keys are refused.

    In form bodies objects and lists are JSON text, and are read as such; numbers are digits,
    1 and 0 are true and false; nothing, or `null`, is null where that may stand.
    """

    def variants(self) -> list[dict[str, Any]]:
        """For the description: JSON Schemas of which one holds of what is sent, where one of its
        parts decides on others.
        """
        return []

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("An object is needed here.")
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return super().to_internal_value(self._decoded(data))

    def _decoded(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(data, FormData):
            return data
        return {name: self._decode(name, value) for name, value in data.items()}

    def _decode(self, name: str, value: str) -> Any:
        field = self.fields[name]
        if field.allow_null and value in {"", "null"}:
            return None
        if isinstance(field, WholeNumber) and _DIGITS.fullmatch(value):
            return int(value)
        if isinstance(field, Flag):
            return FLAGS.get(value.lower(), value)
        if not isinstance(field, COMPOSITE):
            return value
        try:
            return strict_json.loads(value)
        except strict_json.BadText as error:
            raise serializers.ValidationError({name: str(error)}) from None
        except strict_json.NotStrictJson as error:
            raise serializers.ValidationError({name: f"The text {error}"}) from None


COMPOSITE = (
    serializers.BaseSerializer,
    serializers.DictField,
    serializers.ListField,
    serializers.JSONField,
)


class WholeNumber(serializers.IntegerField):
    """A whole number, and nothing that would have to be turned into one."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Flag(serializers.BooleanField):
    """True or false, and nothing that would have to be turned into one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Text(serializers.CharField):
    """Text, and nothing that would have to be turned into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """One of a few words."""

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        among = list(choices)
        told: dict[str, Any] = {"invalid_choice": f"One of {', '.join(among)}."}
        super().__init__(choices=among, error_messages=told, **options)


class Day(serializers.DateField):
    """A date, as 2027-01-31."""

    default_error_messages = {"invalid": "A date such as 2027-01-31."}

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid")
        return super().to_internal_value(value)


class Instant(serializers.DateTimeField):
    """An instant in ISO 8601, as 2027-01-31T08:00:00Z. Without a zone it is UTC."""

    default_error_messages = {"invalid": "An instant such as 2027-01-31T08:00:00Z."}

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            self.fail("invalid")
        return super().to_internal_value(value)


class Nothing(StrictSerializer):
    """A method without arguments."""


class PageSerializer(StrictSerializer):
    """What every list takes."""

    limit = WholeNumber(min_value=1, max_value=LARGEST_PAGE, required=False)
    cursor = serializers.CharField(max_length=2000, required=False)


class IdField(WholeNumber):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


def read(request: Request, schema: type[serializers.BaseSerializer[Any]]) -> dict[str, Any]:
    """What was sent, checked: the query of a GET, the body of a POST. Raises InvalidArguments.

    A POST takes nothing from its address but `dry_run`, where its method knows that: what stood
    there would be left out without a word.
    """
    asks = request.method in {"GET", "HEAD"}
    view = request.parser_context.get("view")
    known = {"dry_run"} if getattr(view, "takes_dry_run", False) else set[str]()
    unknown = set(request.query_params) - known
    if not asks and unknown:
        raise InvalidArguments(dict.fromkeys(sorted(unknown), "Not known in the address."))
    sent = query_of(request) if asks else request.data
    if asks and not sent:
        kind: Any = schema  # which stubs take for nothing to remember by
        return dict(_read_of_nothing(kind))
    if not isinstance(sent, Mapping):
        raise InvalidArguments({"": "The body must be a JSON object."})
    return _read(sent, schema)


@cache
def _read_of_nothing(schema: Any) -> dict[str, Any]:
    """What a query without arguments says: always the same."""
    return _read(FormData(), schema)


def _read(sent: Mapping[str, Any], schema: type[serializers.BaseSerializer[Any]]) -> dict[str, Any]:
    serializer = schema(data=sent)
    if not serializer.is_valid():
        raise InvalidArguments(dict(flat(serializer.errors)))
    return dict(serializer.validated_data)


def query_of(request: Request) -> FormData:
    """The query of the address, each name once. Raises InvalidArguments."""
    lists = dict(request.query_params.lists())
    twice = {name: "Named twice." for name, values in lists.items() if len(values) > 1}
    if twice:
        raise InvalidArguments(twice)
    return FormData({name: values[0] for name, values in lists.items()})


def flat(errors: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Errors of nested serializers as dotted names with one sentence each."""
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            outer = name == "non_field_errors"
            yield from flat(inner, path if outer else f"{path}.{name}" if path else str(name))
    elif isinstance(errors, list) and any(isinstance(item, Mapping | list) for item in errors):
        for index, inner in enumerate(errors):
            yield from flat(inner, f"{path}.{index}")
    elif isinstance(errors, list):
        yield path, " ".join(str(item) for item in errors)
    else:
        yield path, str(errors)
