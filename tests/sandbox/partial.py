"""Partial answers: the exclusions and whitelists of the `fields` parameter."""

from __future__ import annotations

from typing import Any

import orjson

from tests.sandbox.answers import Answer
from tests.sandbox.paging import Pairs, every

Tree = dict[str, Any]


def trim(answer: Answer, pairs: Pairs) -> Answer:
    """The answer without what `fields` excludes, or with nothing but what it lists."""
    names = [name for value in every(pairs, "fields") for name in value.split(",") if name]
    excluded = [name[1:] for name in names if name.startswith("-")]
    listed = [name.strip() for name in names if name[0] not in "+-"]
    if answer.status != 200 or not (excluded or listed) or "*" in listed:
        return answer
    body = orjson.loads(answer.body)
    if listed:
        body = _only(body, _tree(listed + [name[1:] for name in names if name[0] == "+"]))
    for name in excluded:
        _drop(body, name.split("."))
    answer.body = orjson.dumps(body)
    return answer


def _tree(names: list[str]) -> Tree:
    tree: Tree = {}
    for name in names:
        branch = tree
        for part in name.split("."):
            branch = branch.setdefault(part, {})
    return tree


def _only(body: Any, tree: Tree) -> Any:
    if isinstance(body, list):
        return [_only(one, tree) for one in body]
    if not isinstance(body, dict) or not tree or "*" in tree:
        return body
    return {key: _only(body[key], branch) for key, branch in tree.items() if key in body}


def _drop(body: Any, path: list[str]) -> None:
    if isinstance(body, list):
        for one in body:
            _drop(one, path)
    elif isinstance(body, dict) and len(path) > 1:
        _drop(body.get(path[0]), path[1:])
    elif isinstance(body, dict):
        body.pop(path[0], None)
