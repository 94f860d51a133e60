"""Tags of a connection: the rules, and how they are stored. Limits are those of AWS."""

from collections.abc import Mapping
from typing import Any

from connections.connectors.schema import InvalidFields
from connections.models import Connection, Tag

MOST, LONGEST_KEY, LONGEST_VALUE = 50, 128, 256


class TooManyTags(InvalidFields):
    """More tags than a connection may have."""

    def __init__(self) -> None:
        super().__init__({"tags": f"A connection has {MOST} tags at most."})


def tags_schema() -> dict[str, Any]:
    """The JSON Schema of tags."""
    return {
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[^=]+$"},
        "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
        "maxProperties": MOST,
    }


def tags_of(connection: Connection) -> dict[str, str]:
    """The tags of a connection, by key."""
    return {tag.key: tag.value for tag in connection.tags.all()}


def clean_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags as they are kept: trimmed, at most 50. Raises InvalidFields, TooManyTags."""
    problems: dict[str, str] = {}
    cleaned: dict[str, str] = {}
    for given, value in tags.items():
        key = str(given).strip()
        problem = _problem(key, value) or ("Named twice." if key in cleaned else "")
        if problem:
            problems[f"tags.{key[:LONGEST_KEY]}"] = problem
        else:
            cleaned[key] = value.strip()
    if problems:
        raise InvalidFields(problems)
    if len(cleaned) > MOST:
        raise TooManyTags
    return dict(sorted(cleaned.items()))


def store_tags(connection: Connection, tags: Mapping[str, str]) -> None:
    """Let the connection, which is held, have exactly these."""
    before = tags_of(connection)
    connection.tags.exclude(key__in=tags).delete()
    Tag.objects.bulk_create(
        [
            Tag(
                connection=connection,
                organization_id=connection.organization_id,
                key=key,
                value=value,
            )
            for key, value in tags.items()
            if before.get(key) != value
        ],
        update_conflicts=True,
        unique_fields=["connection", "key"],
        update_fields=["value"],
    )


def _problem(key: str, value: Any) -> str:
    if not 0 < len(key) <= LONGEST_KEY:
        return f"A key has 1 to {LONGEST_KEY} characters."
    if "=" in key:
        return "A key has no =: it parts the key from the value."
    if key.lower().startswith("aws:"):
        return "Keys that begin with aws: are reserved."
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        return f"A value is text of at most {LONGEST_VALUE} characters."
    if not (key + value.strip()).isprintable():
        return "Control characters are not allowed."
    return ""
