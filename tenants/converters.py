"""Converters of addresses: a row's id that no database refuses."""

import re

from django.urls import register_converter

LARGEST_ID = 2**63 - 1


class BigIdConverter:
    """The id of a row. What no row can have does not match, and so answers 404."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > LARGEST_ID:
            raise ValueError("No row has this id.")
        return number

    def to_url(self, value: int) -> str:
        return str(value)


class ApiIdConverter(BigIdConverter):
    """The same for the API, where each method has an error of its own for a row that is not there.

    Whatever cannot be an id becomes 0, which no row has.
    """

    regex = "[^/]+"

    def to_python(self, value: str) -> int:
        fits = re.fullmatch(BigIdConverter.regex, value, re.ASCII)
        number = int(value) if fits else 0
        return number if number <= LARGEST_ID else 0


def register() -> None:
    """Make `<bigid:pk>` and `<apiid:pk>` known. Called once, when the app is ready."""
    register_converter(BigIdConverter, "bigid")
    register_converter(ApiIdConverter, "apiid")
