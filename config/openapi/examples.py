"""Examples of answers, put together from those of their parts."""

from typing import Any

from rest_framework import serializers


def example_of(part: Any) -> Any:
    """The example of an answer, of a row or of a single value."""
    if isinstance(part, serializers.ListSerializer):
        return [example_of(part.child)]
    if isinstance(part, serializers.Serializer):
        return {
            name: None if _is_left_out(field) else example_of(field)
            for name, field in part.fields.items()
            if field.required or name != "dry_run"
        }
    return getattr(part, "example", None)


def _is_left_out(field: Any) -> bool:
    """A part that may be null and is described elsewhere is null in an example."""
    return isinstance(field, serializers.Serializer) and field.allow_null
