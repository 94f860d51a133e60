"""JSON from outside, read strictly: one meaning, or a sentence that says why not."""

import json
import re
from typing import Any, NoReturn

_SURROGATE = re.compile("[\ud800-\udfff]")


class NotStrictJson(ValueError):
    """The text is no JSON, or JSON that two readers could understand differently."""


class FormData(dict[str, str]):
    """The fields of a form body or a query, each once; objects in it are JSON text."""


def loads(text: bytes | str) -> Any:
    """Decode JSON. Refuses duplicate keys, NaN, NUL, lone surrogates. Raises NotStrictJson."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        raise NotStrictJson("The body is not UTF-8.") from None
    try:
        value = json.loads(decoded, object_pairs_hook=_object, parse_constant=_constant)
    except NotStrictJson:
        raise
    except RecursionError:
        raise NotStrictJson("The body is nested too deeply.") from None
    except ValueError as error:
        raise NotStrictJson(f"The body is not valid JSON: {_where(error)}") from None
    _check_text(value)
    return value


def check_text(value: str) -> None:
    """Raise NotStrictJson for text that no database keeps: NUL, lone surrogates."""
    if "\x00" in value:
        raise NotStrictJson("The body holds a NUL character, which cannot be kept.")
    if _SURROGATE.search(value):
        raise NotStrictJson("The body holds half of a surrogate pair, which is no character.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotStrictJson("The body names a key twice.")
    return made


def _constant(name: str) -> NoReturn:
    raise NotStrictJson(f"The body holds {name}, which is not JSON.")


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}."
    return "a number is too long."


def _check_text(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            check_text(item)
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
