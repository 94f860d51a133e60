"""JSON from outside: how deep it may be nested."""

import pytest

from tenants.strict_json import DEEPEST, NotStrictJson, loads


@pytest.mark.parametrize("text", ["[" * 50 + "]" * 50, '["' + "[{" * 99 + '"]', r'["\"[[", "]"]'])
def test_what_is_not_deep_is_read(text: str) -> None:
    assert isinstance(loads(text), list)


@pytest.mark.parametrize(
    "text", ["[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), '{"a":' * 9_999, '["x",' * 99]
)
def test_what_is_deep_is_refused_before_it_is_decoded(text: str) -> None:
    with pytest.raises(NotStrictJson, match="nested too deeply"):
        loads(text)
