"""The headline of the overview: does anything need me?"""

from tenants.formats import number, word


def headline(
    *, fresh: int, total: int, needing: int, pending: int = 0, paused: int = 0, only: str = ""
) -> str:
    """“3 of 4 connections are fresh. One needs you. One is paused.”

    `total` counts those that are not paused; `only` is the name of the one, where there is one.
    """
    if not total and not paused:
        return "Your connection is not finished yet" if pending else "Connect your Bitbucket"
    if not total:
        return "The connection is paused" if paused == 1 else "All connections are paused"
    sentences = [_fresh(fresh, total, only if paused else ""), _needing(needing, total)]
    if paused:
        sentences.append(f"{word(paused).capitalize()} {'is' if paused == 1 else 'are'} paused.")
    return " ".join(sentence for sentence in sentences if sentence)


def _fresh(fresh: int, total: int, only: str) -> str:
    if total == 1:
        return f"{only or 'The connection'} is {'' if fresh else 'not '}fresh."
    if fresh == total:
        return f"All {number(total)} connections are fresh."
    are = "is" if fresh == 1 else "are"
    return f"{number(fresh)} of {number(total)} connections {are} fresh."


def _needing(needing: int, total: int) -> str:
    if not needing:
        return ""
    if total == 1:
        return "It needs you."
    return f"{word(needing).capitalize()} {'needs' if needing == 1 else 'need'} you."
