"""JSON from outside, read strictly: one meaning, or a sentence that says why not."""

import json
import re
from typing import Any, NoReturn

DEEPEST = 50  # levels: nothing that is sent here has more than four
_SURROGATE = re.compile("[\ud800-\udfff]")
# A text, ended or not, in which brackets mean nothing; a bracket that opens; one that closes.
_STEP = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|(?P<down>[\[{])|(?P<up>[\]}])', re.DOTALL)


class NotStrictJson(ValueError):
    """The text is no JSON, or JSON that two readers could understand differently.

    What it says goes on behind a name of the text, such as “The body”.
    """


class BadText(NotStrictJson):
    """Text that no database keeps: NUL, half of a surrogate pair. `path` is where it stands.

    What it says is a whole sentence.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class FormData(dict[str, str]):
    """The fields of a form body or a query, each once; objects in it are JSON text."""


def loads(text: bytes | str) -> Any:
    """Decode JSON. Raises NotStrictJson: duplicate keys, NaN; BadText: NUL, lone surrogates."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        raise NotStrictJson("is not UTF-8.") from None
    if _depth(decoded) > DEEPEST:
        raise NotStrictJson("is nested too deeply.")
    try:
        value = json.loads(decoded, object_pairs_hook=_object, parse_constant=_constant)
    except NotStrictJson:
        raise
    except ValueError as error:
        raise NotStrictJson(f"is not valid JSON: {_where(error)}") from None
    _check_text(value)
    return value


def check_text(value: str, path: str = "") -> None:
    """Raise BadText for text that no database keeps."""
    if "\x00" in value:
        raise BadText("NUL characters are not allowed.", path)
    if _SURROGATE.search(value):
        raise BadText("Half of a surrogate pair is no character.", path)


def _depth(text: str) -> int:
    """How many levels deep a text is nested, counted before the decoder goes down there."""
    deepest = now = 0
    for step in _STEP.finditer(text):
        now += bool(step["down"]) - bool(step["up"])
        deepest = max(deepest, now)
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotStrictJson("names a key twice.")
    return made


def _constant(name: str) -> NoReturn:
    raise NotStrictJson(f"holds {name}, which is not JSON.")


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}."
    return "a number is too long."


def _check_text(value: Any) -> None:
    waiting = [("", value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, str):
            check_text(item, path)
        elif isinstance(item, dict):
            for name in item:
                check_text(name, path)
            waiting.extend((_below(path, name), inner) for name, inner in item.items())
        elif isinstance(item, list):
            waiting.extend((_below(path, index), inner) for index, inner in enumerate(item))


def _below(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
