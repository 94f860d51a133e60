"""The headline of the overview: does anything need me?"""

from tenants.formats import number, word


def headline(*, fresh: int, total: int, needing: int, pending: int = 0) -> str:
    """“3 of 4 connections are fresh. One needs you.”"""
    if not total:
        return "Your connection is not finished yet" if pending else "Connect your Bitbucket"
    if total == 1:
        first = "The connection is fresh" if fresh else "The connection is not fresh"
    elif fresh == total:
        first = f"All {number(total)} connections are fresh"
    else:
        first = f"{number(fresh)} of {number(total)} connections are fresh"
    return f"{first}. {_needing(needing, total)}".rstrip()


def _needing(needing: int, total: int) -> str:
    if not needing:
        return ""
    if total == 1:
        return "It needs you."
    return f"{word(needing).capitalize()} {'needs' if needing == 1 else 'need'} you."
