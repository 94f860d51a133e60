"""JSON Schema (2020-12) of what a form asks for, and the check of what was given against it."""

from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from connections.connectors.base import Field

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REQUIRED = "This is required."


class InvalidFields(ValueError):
    """What was given does not fit. `fields` has a sentence per dotted name."""

    code = "invalid_arguments"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Some values do not fit.")
        self.fields = dict(fields)
        self.message = " ".join(f"{name}: {told}" for name, told in self.fields.items())


def schema_of(fields: Sequence[Field]) -> dict[str, Any]:
    """The schema of an object with these fields. Unknown keys are refused."""
    properties: dict[str, Any] = {}
    for field in fields:
        properties[field.name] = _property(field)
        for alias in field.aliases:
            properties[alias] = {
                **_property(field),
                "description": f"Another name of {field.name}.",
            }
    found = {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [_one_name(field) for field in fields if field.required]
    return {**found, "allOf": required} if required else found


def _property(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "string",
        "title": field.label,
        "maxLength": field.max_length,
    }
    if field.required:
        found["minLength"] = 1
    if field.help:
        found["description"] = field.help
    if field.pattern:
        found["pattern"] = field.pattern if field.required else f"^$|{field.pattern}"
    if field.secret:
        found["writeOnly"] = True
    if field.kind in {"email", "url"}:
        found["format"] = "email" if field.kind == "email" else "uri"
    return found


def _one_name(field: Field) -> dict[str, Any]:
    names = [{"required": [name]} for name in (field.name, *field.aliases)]
    return {"oneOf": names, "title": field.name}


def clean(fields: Sequence[Field], values: Mapping[str, Any], *, below: str) -> dict[str, str]:
    """The values under their own names, stripped. Raises InvalidFields with `below.name` keys."""
    given = {
        str(name): value.strip() if isinstance(value, str) else value
        for name, value in values.items()
    }
    problems = {f"{below}.{name}": "NUL characters are not allowed." for name in _with_nul(given)}
    for error in Draft202012Validator(schema_of(fields)).iter_errors(given):
        for name, told in _told(error, given, fields):
            problems.setdefault(f"{below}.{name}" if name else below, told)
    if problems:
        raise InvalidFields(problems)
    return {
        field.name: given[name]
        for field in fields
        for name in (field.name, *field.aliases)
        if given.get(name)
    }


def _with_nul(given: Mapping[str, Any]) -> list[str]:
    return [name for name, value in given.items() if isinstance(value, str) and "\x00" in value]


def _told(
    error: ValidationError, given: Mapping[str, Any], fields: Sequence[Field]
) -> list[tuple[str, str]]:
    """Names and sentences. A secret's value never stands in one."""
    name = str(error.absolute_path[0]) if error.absolute_path else ""
    if error.validator == "additionalProperties":
        known = set(schema_of(fields)["properties"])
        return [(one, "This key is not known here.") for one in given if one not in known]
    if error.validator == "oneOf":
        return [_told_of_names(error, given, fields)]
    if error.validator == "maxLength":
        return [(name, f"At most {error.validator_value} characters.")]
    if error.validator == "minLength":
        return [(name, REQUIRED)]
    if error.validator == "type":
        return [(name, "This must be text.")]
    told = [f"{field.misfit} {field.help}".strip() for field in fields if field.name == name]
    return [(name, told[0] if told else "This does not have the right shape.")]


def _title(error: ValidationError) -> str:
    return str(error.schema["title"]) if isinstance(error.schema, Mapping) else ""


def _told_of_names(
    error: ValidationError, given: Mapping[str, Any], fields: Sequence[Field]
) -> tuple[str, str]:
    field = next(one for one in fields if one.name == _title(error))
    used = [name for name in (field.name, *field.aliases) if name in given]
    if len(used) > 1:
        return used[1], f"Give either {used[0]} or {used[1]}: they are the same."
    return field.name, REQUIRED
