"""Partial answers: the exclusions and whitelists of the `fields` parameter."""

from __future__ import annotations

from typing import Any

import orjson

from tests.sandbox.answers import Answer

Pairs = list[tuple[str, str]]
Tree = dict[str, Any]


def whitelist(pairs: Pairs) -> Tree:
    """What alone is wanted of an answer, as a tree of names; empty for everything."""
    names = _names(pairs)
    listed = [name for name in names if name[0] not in "+-"]
    if not listed or "*" in listed:
        return {}
    return _tree(listed + [name[1:] for name in names if name[0] == "+"])


def only(body: Any, tree: Tree) -> Any:
    """A body with nothing but what a tree names. Rendered parts stay as they are."""
    if isinstance(body, list):
        return [only(one, tree) for one in body]
    if not isinstance(body, dict) or not tree or "*" in tree:
        return body
    return {key: only(body[key], branch) for key, branch in tree.items() if key in body}


def trim(answer: Answer, pairs: Pairs) -> Answer:
    """The answer without what `fields` excludes, or with nothing but what it lists.

    A page was trimmed to what is listed as it was rendered.
    """
    excluded = [name[1:].split(".") for name in _names(pairs) if name[0] == "-"]
    tree = {} if answer.is_page else whitelist(pairs)
    if answer.status != 200 or not (excluded or tree):
        return answer
    body = only(orjson.loads(answer.body), tree)
    for path in excluded:
        _drop(body, path)
    answer.body = orjson.dumps(body)
    return answer


def _names(pairs: Pairs) -> list[str]:
    values = [value for key, value in pairs if key == "fields"]
    found = (name.strip() for value in values for name in value.split(","))
    return [name for name in found if name]


def _tree(names: list[str]) -> Tree:
    tree: Tree = {}
    for name in names:
        branch = tree
        for part in name.split("."):
            branch = branch.setdefault(part, {})
    return tree


def _drop(body: Any, path: list[str]) -> None:
    if isinstance(body, list):
        for one in body:
            _drop(one, path)
    elif isinstance(body, dict) and len(path) > 1:
        _drop(body.get(path[0]), path[1:])
    elif isinstance(body, dict):
        body.pop(path[0], None)
