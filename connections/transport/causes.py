"""Finds the reason of a failure, which libraries wrap several times."""


def caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether an error of this kind stands anywhere below."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, kind):
            return True
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None)]
            waiting += [arg for arg in one.args if isinstance(arg, BaseException)]
    return False
