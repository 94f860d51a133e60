"""Workspaces and repositories, read out of their names or of any address of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

REPOSITORY = re.compile(r"^(?!\.{1,2}\Z)[A-Za-z0-9_.{}-]{1,100}\Z")

_SERVER = r"(?:localhost|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)"
_USER = r"(?:[^/@]*@)?"
_STEPS = "2\\.0|repositories|workspaces|workspace|!?api|account"
_NAME = r"([A-Za-z0-9][A-Za-z0-9_-]{0,99}|(?:\{|%7[Bb])[0-9A-Fa-f-]{36}(?:\}|%7[Dd]))(?:[/?#].*)?"
_PATH = f"/*(?:(?:{_STEPS})/+)*(?!(?:{_STEPS})(?:[/?#]|$)){_NAME}"
# What is taken for a workspace: its name or uuid, or any address of it. The schema shows it.
ADDRESS = (
    rf"^(?:(?:[A-Za-z+]+://)?{_USER}{_SERVER}(?::[0-9]+)?/{_PATH}"
    rf"|{_USER}[A-Za-z0-9_.-]+\.[A-Za-z0-9_]+:{_PATH}|{_NAME})$"
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
    text = unquote(text.strip())
    text = re.sub(r"^(\w+://)?([^/@]*@)?(?=[^/:]+[:/])", "", text)
    host, parted, path = text.partition(":") if _is_scp(text) else text.partition("/")
    if not parted:
        return Place(text.lower())
    steps = path.split("/") if _HOST.match(host) else [host, *path.split("/")]
    steps = [step for step in re.split(r"[/?#]", "/".join(steps)) if step]
    while steps and steps[0] in _BEFORE and _HOST.match(host):
        steps.pop(0)
    workspace, repository = [*steps, "", ""][:2]
    if repository in _AFTER:
        repository = ""
    return Place(workspace.lower(), repository.removesuffix(".git"))


def workspace_name(text: str) -> str:
    """The workspace's name out of its name or any address of it; empty where it is neither."""
    found = re.match(ADDRESS, text)
    return unquote(next(filter(None, found.groups()), "")).lower() if found else ""


def repository_name(text: str) -> str:
    """The repository's name out of its name or any address of it."""
    found = place_of(text)
    return found.repository or ("" if "/" in text else unquote(text.strip()))


def read_places(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed. The address of a repository names its workspace too."""
    given = {name: value for name, value in typed.items() if value}
    place = place_of(given.get("repository", ""))
    if place.repository:
        given = {"workspace": place.workspace, **given, "repository": place.repository}
    return given


_HOST = re.compile(r"^(localhost|[\w-]+(\.[\w-]+)+)(:\d+)?$")
_BEFORE = {"2.0", "repositories", "workspaces", "workspace", "api", "!api", "account"}
_AFTER = {"workspace", "repositories", "projects"}  # steps that follow a workspace's name


def _is_scp(text: str) -> bool:
    return re.match(r"^[\w.-]+\.\w+:(?!\d)", text) is not None
