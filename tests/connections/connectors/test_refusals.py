"""What a refusal of Bitbucket says: a scope, a role, something that is gone."""

import json
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from connections.connectors.bitbucket_cloud.refusals import explain
from connections.transport.answers import Answer
from connections.transport.errors import Gone, InvalidPermissions, NotFound, ProviderError

LACKS = "Your credentials lack one or more required privilege scopes."


def refusal(status: int, message: str, headers: dict[str, str], **more: Any) -> Answer:
    body = {"type": "error", "error": {"message": message, **more}}
    return Answer(
        method="GET",
        url="https://api.bitbucket.org/2.0/repositories/acme",
        path="/2.0/repositories/acme",
        status=status,
        headers=CaseInsensitiveDict({"Content-Type": "application/json", **headers}),
        body=json.dumps(body).encode(),
        ms=1,
    )


def scopes(granted: str, accepted: str = "") -> dict[str, str]:
    return {"X-OAuth-Scopes": granted, "X-Accepted-OAuth-Scopes": accepted}


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (refusal(403, LACKS, {}, detail={"required": ["a"], "granted": ["b"]}), ("a",)),
        (refusal(403, LACKS, scopes("account", "pullrequest"), detail="said"), ("pullrequest",)),
        (refusal(403, LACKS, scopes("account"), detail={"required": ["account", "a"]}), ("a",)),
        (
            refusal(
                403,
                LACKS,
                {},
                detail={"required": ["repository", "pipeline"], "granted": ["pullrequest:write"]},
            ),
            ("pipeline",),
        ),
        (refusal(403, "Forbidden", scopes("account, pullrequest", "repository")), ()),
        (refusal(403, "Forbidden", scopes("read:pullrequest:bitbucket", "repository")), ()),
    ],
    ids=["detail", "headers", "granted only in headers", "implied", "a role", "a role, granular"],
)
def test_a_missing_scope_is_told_from_a_missing_role(
    answer: Answer, missing: tuple[str, ...]
) -> None:
    error = explain(answer)

    assert isinstance(error, InvalidPermissions)
    assert error.missing_scopes == missing
    assert error.mended_by == ("admin" if missing else "workspace_admin")


@pytest.mark.parametrize(
    ("answer", "kind", "mended_by"),
    [
        (refusal(410, "CHANGE-2770 - Functionality has been deprecated", {}), Gone, "operator"),
        (refusal(410, "Gone.", {}, data={"announcement_url": "https://x"}), Gone, "operator"),
        (refusal(410, "", {}), Gone, "operator"),
        (refusal(410, "This workspace has been removed.", {}), NotFound, "workspace_admin"),
    ],
    ids=["announced by name", "announced by address", "without a word", "the workspace"],
)
def test_a_removed_endpoint_is_told_from_a_removed_workspace(
    answer: Answer, kind: type[ProviderError], mended_by: str
) -> None:
    error = explain(answer)

    assert type(error) is kind
    assert error.mended_by == mended_by
