"""Tags of a connection: the rules, and how they are stored. Limits are those of AWS."""

import re
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from connections.connectors.schema import InvalidFields
from connections.models import Connection, Tag

MOST, LONGEST_KEY, LONGEST_VALUE = 50, 128, 256
# Control characters, and what turns the direction of text or cannot be seen.
UNSEEN = (
    r"[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff\ufff0-\uffff]"
)
# What a key must not be: a pattern, and the sentence that says so.
NO_KEY = {
    "=": "A key has no =: it parts the key from the value.",
    "^[aA][wW][sS]:": "Keys that begin with aws: are reserved.",
    r"^\s|\s$": "A key neither begins nor ends with a blank.",
    UNSEEN: "Control characters are not allowed.",
}


class TooManyTags(InvalidFields):
    """More tags than a connection may have."""

    def __init__(self) -> None:
        super().__init__({"tags": f"A connection has {MOST} tags at most."})


def tags_schema() -> dict[str, Any]:
    """The JSON Schema of tags, with which the server checks them too."""
    return {
        "type": "object",
        "propertyNames": {
            "minLength": 1,
            "maxLength": LONGEST_KEY,
            "not": {"anyOf": [{"pattern": pattern} for pattern in NO_KEY]},
        },
        "additionalProperties": {
            "type": "string",
            "maxLength": LONGEST_VALUE,
            "not": {"pattern": UNSEEN},
        },
        "maxProperties": MOST,
    }


def tags_of(connection: Connection) -> dict[str, str]:
    """The tags of a connection, by key."""
    return {tag.key: tag.value for tag in connection.tags.all()}


def clean_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags as they are kept, by key: at most 50. Raises InvalidFields, TooManyTags."""
    schema = tags_schema()
    key_fits = Draft202012Validator(schema["propertyNames"]).is_valid
    value_fits = Draft202012Validator(schema["additionalProperties"]).is_valid
    problems = {
        f"tags.{key[:LONGEST_KEY]}": _problem(key, value)
        for key, value in tags.items()
        if not key_fits(key) or not value_fits(value)
    }
    if problems:
        raise InvalidFields(problems)
    if len(tags) > MOST:
        raise TooManyTags
    return {key: value.strip() for key, value in sorted(tags.items())}


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
    """Why a tag does not fit, in a sentence."""
    if not 0 < len(key) <= LONGEST_KEY:
        return f"A key has 1 to {LONGEST_KEY} characters."
    for pattern, told in NO_KEY.items():
        if re.search(pattern, key):
            return told
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        return f"A value is text of at most {LONGEST_VALUE} characters."
    return NO_KEY[UNSEEN]
