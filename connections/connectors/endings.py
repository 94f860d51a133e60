"""Which of a connector's endpoints end, by what it declares and by what answers tell."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from connections.connectors.declarations import Endpoint
from connections.connectors.results import CheckResult
from connections.transport.removals import Removal

Told = dict[tuple[str, str], Removal | None]  # by method and path of the endpoint


def endpoint_asked(endpoints: Iterable[Endpoint], method: str, asked: str) -> Endpoint | None:
    """The endpoint that an address belongs to: of several, the one that leaves least open."""
    steps = urlsplit(asked).path.strip("/").split("/")
    fitting = [one for one in endpoints if one.method == method and _fits(one.path, steps)]
    return max(fitting, key=lambda one: (len(_steps(one.path)), _fixed(one.path)), default=None)


def told_by_checks(endpoints: Iterable[Endpoint], checks: Iterable[CheckResult]) -> Told:
    """What a verification tells of endpoints: that they end, or that they answer as ever."""
    known, told = list(endpoints), Told()
    for check in checks:
        found = endpoint_asked(known, check.method, check.path)
        if found is not None and (check.removal or check.outcome == "ok"):
            told[found.method, found.path] = removal_of(check.removal) if check.removal else None
    return told


def removal_of(row: Mapping[str, object]) -> Removal:
    """A removal out of plain JSON."""
    text = {name: str(row.get(name) or "") for name in ("change", "on", "url")}
    return Removal(**text, is_over=bool(row.get("is_over")))


def _steps(path: str) -> list[str]:
    return path.strip("/").split("/")


def _fixed(path: str) -> int:
    return sum(not step.startswith("{") for step in _steps(path))


def _fits(template: str, asked: list[str]) -> bool:
    """Whether the end of an address has this shape; what stands before it is the API's own."""
    steps = _steps(template)
    last = asked[-len(steps) :]
    return len(last) == len(steps) and all(
        step == given or (step.startswith("{") and bool(given))
        for step, given in zip(steps, last, strict=True)
    )
