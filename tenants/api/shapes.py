"""What methods answer, declared: the description of the API is made of it. Rows are plain dicts."""

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers

from tenants.converters import LARGEST_ID

Schema = dict[str, Any]


class Shape(serializers.Field[Any, Any, Any, Any]):
    """A part of an answer by its JSON Schema (or a function that gives it), with an example."""

    def __init__(
        self, schema: Schema | Callable[[], Schema], example: Any = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._schema = schema
        self.example = example

    @property
    def json_schema(self) -> Schema:
        return dict(self._schema() if callable(self._schema) else self._schema)


def id_schema() -> Schema:
    """The id of a row."""
    return {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}


class Identifier(Shape):
    """The id of a row."""

    def __init__(self, example: int | None = 17, **options: Any) -> None:
        super().__init__(id_schema, example, **options)


class Number(Shape):
    """A count."""

    def __init__(self, example: int | None = 0, **options: Any) -> None:
        super().__init__({"type": "integer", "minimum": 0}, example, **options)


class Words(Shape):
    """Text; one of `among` where that is given."""

    def __init__(
        self, example: str | None, among: Callable[[], list[str]] | None = None, **options: Any
    ) -> None:
        def schema() -> Schema:
            return {"type": "string", **({"enum": among()} if among else {})}

        super().__init__(schema, example, **options)


class ListOfWords(Shape):
    """A list of texts."""

    def __init__(self, *example: str, **options: Any) -> None:
        schema = {"type": "array", "items": {"type": "string"}}
        super().__init__(schema, list(example), **options)


class YesOrNo(Shape):
    """True or false."""

    def __init__(self, example: bool = True, **options: Any) -> None:
        super().__init__({"type": "boolean"}, example, **options)


class Moment(Shape):
    """An instant: ISO 8601, UTC, milliseconds, Z."""

    PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"

    def __init__(self, example: str | None = "2026-11-26T08:14:03.512Z", **options: Any) -> None:
        schema = {"type": "string", "format": "date-time", "pattern": self.PATTERN}
        super().__init__(schema, example, **options)


class Date(Shape):
    """A day, as 2027-01-31."""

    def __init__(self, example: str | None = "2027-01-31", **options: Any) -> None:
        super().__init__({"type": "string", "format": "date"}, example, **options)


class Thing(Shape):
    """An object whose content is not ours, or is described elsewhere."""

    def __init__(self, example: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__({"type": "object"}, example, **options)


class Named(Shape):
    """A part that is described under this name by an app above."""

    def __init__(self, name: str, example: Any = None, **options: Any) -> None:
        super().__init__({"$ref": f"#/components/schemas/{name}"}, example, **options)


class Row(serializers.Serializer[Any]):
    """A row in an answer."""


class Answer(serializers.Serializer[Any]):
    """It went well."""

    ok = Shape({"const": True}, example=True)


class PageMark(Row):
    """How a list goes on."""

    next_cursor = Words(None, allow_null=True, help_text="Null at the end of the list.")


class ListAnswer(Answer):
    """A page of a list."""

    response_metadata = PageMark()
