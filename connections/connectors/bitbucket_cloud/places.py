"""Workspaces and repositories, read out of their names or of any address of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

_SERVER = r"(?:localhost|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)"
_USER = r"(?:[^/@]*@)?"
_URL = rf"(?:[A-Za-z+]+://)?{_USER}{_SERVER}(?::[0-9]+)?/"
_SCP = rf"{_USER}[A-Za-z0-9_.-]+\.[A-Za-z0-9_]+:"
_END = r"(?:[/?#]|$)"
_STEPS = "2\\.0|repositories|workspaces|workspace|!?api|account"  # before a workspace's name
_PATH = f"/*(?:(?:{_STEPS})/+)*(?!(?:{_STEPS}){_END})"
_WORKSPACE = r"([A-Za-z0-9][A-Za-z0-9_-]{0,99}|(?:\{|%7[Bb])[0-9A-Fa-f-]{36}(?:\}|%7[Dd]))"
_AFTER = "workspace|repositories|projects"  # behind it, where no repository follows
_NAME = r"((?:[A-Za-z0-9_.{}-]|%7[BbDd]){1,100})"
_REPOSITORY = rf"/+(?!(?:{_AFTER}|\.{{1,2}}){_END}){_NAME}"
_REST = r"(?:[/?#].*)?"
# What is taken for a workspace: its name or uuid, or any address of it. The schema shows it.
WORKSPACE = (
    rf"^(?:{_URL}{_PATH}{_WORKSPACE}{_REST}|{_SCP}{_PATH}{_WORKSPACE}{_REST}|{_WORKSPACE}{_REST})$"
)
# The same of a repository; its bare name is the last group.
REPOSITORY = (
    rf"^(?:{_URL}{_PATH}{_WORKSPACE}{_REPOSITORY}{_REST}"
    rf"|{_SCP}{_PATH}{_WORKSPACE}{_REPOSITORY}{_REST}"
    rf"|{_WORKSPACE}{_REPOSITORY}{_REST}|(?!\.{{1,2}}$){_NAME})$"
)


@dataclass(frozen=True)
class Place:
    """What an address names; empty where it names none."""

    workspace: str = ""
    repository: str = ""


def place_of(text: str) -> Place:
    """The workspace, and the repository where it is named too.

    `acme`, `acme/api`, `https://bitbucket.org/acme/api/src`, `bitbucket.org/acme`,
    `git@bitbucket.org:acme/api.git`, `https://api.bitbucket.org/2.0/repositories/acme`.
    """
    found = _named(REPOSITORY, text)
    if len(found) > 1:
        return Place(found[0].lower(), found[1].removesuffix(".git"))
    return Place(workspace_name(text))


def workspace_name(text: str) -> str:
    """The workspace's name out of its name or any address of it; empty where it is neither."""
    found = _named(WORKSPACE, text)
    return found[0].lower() if found else ""


def repository_name(text: str) -> str:
    """The repository's name out of its name or any address of it; empty where it is neither."""
    found = _named(REPOSITORY, text)
    return found[-1].removesuffix(".git") if len(found) > 1 else "".join(found)


def read_places(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed. The address of a repository names its workspace too."""
    given = {name: value for name, value in typed.items() if value}
    place = place_of(given.get("repository", ""))
    if place.repository:
        given = {"workspace": place.workspace, **given, "repository": place.repository}
    return given


def _named(pattern: str, text: str) -> list[str]:
    """What stands in the groups of a pattern; nothing where it does not fit."""
    found = re.match(pattern, text.strip())
    return [unquote(part) for part in found.groups() if part] if found else []
