"""What was given, against the schemas that connectors.list shows."""

import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connections.connectors.base import Connector, Field
from connections.connectors.schema import InvalidFields, clean, schema_of

FIELDS = (
    Field(name="username", label="E-mail", pattern=r"^\S+@\S+$", max_length=20),
    Field(name="password", label="Token", secret=True, aliases=("token",)),
    Field(name="repository", label="Repository", required=False),
)


def test_schemas_are_valid_schemas_that_mark_secrets(cloud: Connector) -> None:
    for method in cloud.methods:
        for fields in (method.settings, method.secrets):
            Draft202012Validator.check_schema(schema_of(fields))
        for prop in schema_of(method.secrets)["properties"].values():
            assert prop["writeOnly"] is True


def test_what_fits_is_kept_under_its_own_name() -> None:
    given = {"username": " a@b ", "token": "secret", "repository": ""}

    assert clean(FIELDS, given, below="x") == {"username": "a@b", "password": "secret"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"password": "p"}, "x.username"),
        ({"username": "a@b"}, "x.password"),
        ({"username": "", "password": "p"}, "x.username"),
        ({"username": "nobody", "password": "p"}, "x.username"),
        ({"username": "a@" + "b" * 30, "password": "p"}, "x.username"),
        ({"username": 7, "password": "p"}, "x.username"),
        ({"username": "a@b", "password": ["p"]}, "x.password"),
        ({"username": "a@b", "password": "p", "token": "p"}, "x.token"),
        ({"username": "a@b", "password": "p", "colour": "red"}, "x.colour"),
        ({"username": "a\x00@b", "password": "p"}, "x.username"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        clean(FIELDS, given, below="x")

    assert list(caught.value.fields) == [name]


def test_a_sentence_never_repeats_a_value() -> None:
    secret = "ATATT-very-secret" * 40

    with pytest.raises(InvalidFields) as caught:
        clean(FIELDS, {"username": secret, "password": secret}, below="x")

    assert "very-secret" not in caught.value.message


def test_no_pattern_takes_long_over_a_long_value(cloud: Connector) -> None:
    awkward = ("a@" + "a." * 20_000 + "@", "." * 40_000 + "!", "{" * 40_000 + " ", "@:" * 20_000)
    started = time.process_time()

    for fields in [cloud.settings] + [method.settings for method in cloud.methods]:
        for value in awkward:
            with pytest.raises(InvalidFields):
                clean(fields, {field.name: value for field in fields} or {"none": ""}, below="x")

    assert time.process_time() - started < 2


def test_a_name_that_is_no_address_is_told_which_one_is_wanted(cloud: Connector) -> None:
    method = cloud.method("api_token")

    with pytest.raises(InvalidFields) as caught:
        clean(method.settings, {"username": "ada"}, below="settings")

    told = caught.value.fields["settings.username"]
    assert told.startswith("This is no e-mail address. The address that you sign in")
