"""Single values out of foreign JSON."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.read import Unreadable, address, moment, number, text
from ingestion.sources.rows import RejectedRecord

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    "id uuid title state author source destination created_on updated_on participants user "
    "comment update approval pull_request build_number target trigger creator inline content"
).split()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2023-05-12T11:45:48.675990+00:00", datetime(2023, 5, 12, 11, 45, 48, 675990, UTC)),
        ("2020-11-03T22:14:50.671Z", datetime(2020, 11, 3, 22, 14, 50, 671000, UTC)),
        ("2020-11-03T22:14:50.19397Z", datetime(2020, 11, 3, 22, 14, 50, 193970, UTC)),
        ("2020-11-03T22:14:50.123456789Z", datetime(2020, 11, 3, 22, 14, 50, 123456, UTC)),
        ("2020-11-03T22:14:50+02:00", datetime(2020, 11, 3, 20, 14, 50, 0, UTC)),
        ("2020-11-03T22:14:50", datetime(2020, 11, 3, 22, 14, 50, 0, UTC)),
    ],
)
def test_moments_as_bitbucket_writes_them(written: str, meant: datetime) -> None:
    assert moment(written) == meant


@pytest.mark.parametrize(
    "nonsense",
    [None, "", "yesterday", 12, [], {}, "2020-13-01", "0001-01-01T00:00:00+14:00"],
)
def test_moments_that_are_none(nonsense: Any) -> None:
    with pytest.raises(Unreadable):
        moment(nonsense)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(st.characters()))
def test_text_is_what_any_database_keeps(value: str) -> None:
    cleaned = text(value)

    assert "\0" not in cleaned
    cleaned.encode()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://bitbucket.org/acme/api", "https://bitbucket.org/acme/api"),
        ("javascript:alert(1)//https://", ""),
        (" JavaScript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//elsewhere.example", ""),
        (None, ""),
    ],
)
def test_addresses_are_what_a_page_may_link_to(given: Any, kept: str) -> None:
    links = {"links": {"html": {"href": given}}}
    row = {"uuid": "{1}", "id": 1, "updated_on": "2020-11-03T22:14:50Z", **links}

    assert address(given) == kept
    assert parse.repository(row).web_url == kept
    assert parse.pull_request(row).web_url == kept


@pytest.mark.parametrize("nonsense", [None, True, 1.5, "7", 2**63, -(2**63), []])
def test_numbers_that_are_none(nonsense: Any) -> None:
    with pytest.raises(Unreadable):
        number(nonsense)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_object_becomes_a_row_or_is_set_aside(value: dict[str, Any]) -> None:
    for read in (parse.pull_request, parse.event, parse.pipeline, parse.repository, parse.member):
        (row,) = parse.rows([value], read, "id")

        assert isinstance(row, RejectedRecord) or row is not None


@pytest.mark.parametrize(
    ("target", "branch"),
    [
        ({"ref_name": "main"}, "main"),
        ({"source": "feature", "destination": "main"}, "feature"),
        ({"selector": {}}, ""),
        (None, ""),
    ],
    ids=["a branch", "a pull request", "of a kind nobody knows", "none"],
)
def test_a_run_is_of_the_branch_that_was_built(target: Any, branch: str) -> None:
    run = {"uuid": "{1}", "build_number": 1, "created_on": "2020-11-03T22:14:50Z"}

    assert parse.pipeline({**run, "target": target}).ref_name == branch
