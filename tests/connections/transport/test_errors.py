"""Errors say who can mend what they tell of."""

import pytest

from connections.transport.errors import InvalidPermissions


@pytest.mark.parametrize(
    ("granted", "mended_by"),
    [(("account",), "admin"), (("account", "repository"), "workspace_admin")],
)
def test_a_missing_scope_is_mended_here_a_missing_role_at_bitbucket(
    granted: tuple[str, ...], mended_by: str
) -> None:
    error = InvalidPermissions("Refused.", required=("repository",), granted=granted)

    assert error.as_dict()["mended_by"] == mended_by
