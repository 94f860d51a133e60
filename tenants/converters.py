"""Converters of addresses: a row's id that no database refuses."""

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


def register() -> None:
    """Make `<bigid:pk>` known. Called once, when the app is ready."""
    register_converter(BigIdConverter, "bigid")
