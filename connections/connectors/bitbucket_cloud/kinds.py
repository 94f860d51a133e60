"""What kind of secret it is, as Bitbucket's answers tell."""

from collections.abc import Iterable

from connections.connectors.base import CheckResult, Entry, Identity
from connections.connectors.bitbucket_cloud.methods import ACCESS_TOKEN
from connections.connectors.bitbucket_cloud.scopes import with_implied

# `X-Credential-Type` is recorded as oauth1, oauth2, apppassword; the names for access tokens are
# not documented, so that a part of them has to do.
_PARTS = {"workspace": "workspace", "project": "project", "repo": "repository"}
OAUTH = "oauth2"


def kind_of(credential_type: str) -> str:
    """The kind of an access token; empty where the answer does not tell."""
    said = credential_type.lower()
    return next((kind for part, kind in _PARTS.items() if part in said), "")


def kind_of_entry(entry: Entry, told: str, scopes: Iterable[str]) -> str:
    """The kind of an entry's secret: as Bitbucket tells it, else by what it is and may do."""
    if entry.method != ACCESS_TOKEN.key:
        return ""
    if told or entry.settings.get("repository"):
        return told or "repository"
    # A project or repository token can never have it.
    return "workspace" if "account" in with_implied(scopes) else ""


def whom(identity: Identity, entry: Entry, project: str) -> Identity:
    """The identity with whom a token acts as that belongs to no person."""
    if entry.method != ACCESS_TOKEN.key or not identity.connected_name:
        return identity
    place = identity.connected_name
    names = {"workspace": place, "project": f"{place}/{project}" if project else ""}
    name = identity.acts_as_name or names.get(identity.kind, "")
    return Identity(**{**vars(identity), "acts_as_name": name})


def pass_over(results: Iterable[CheckResult], kind: str) -> None:
    """Excuse the checks of what no token of this kind can do."""
    found = ACCESS_TOKEN.kind(kind)
    for result in results:
        if found is not None and result.stream in found.never:
            told = f"No {found.label.lower()} can do this; a workspace access token can."
            result.pass_over(told)
