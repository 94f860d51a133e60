"""The one door: whoever reads or writes an organization's rows enters the organization first.

Pages, API methods and tasks call `enter(organization)`; `for_organization()` on every tenant
model refuses to answer for an organization that was not entered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenants.models import Organization

_entered: ContextVar[int | None] = ContextVar("entered_organization", default=None)


class OutsideOrganization(RuntimeError):
    """Rows of an organization were asked for by code that had not entered it."""


@contextmanager
def enter(organization: "Organization | int") -> Iterator[None]:
    """Enter one organization for the length of a request or a task.

    Entering another one inside is refused: a request and a task have one tenant.
    """
    key = organization if isinstance(organization, int) else organization.pk
    current = _entered.get()
    if current is not None and current != key:
        raise OutsideOrganization(f"Inside organization {current}, {key} cannot be entered.")
    token = _entered.set(key)
    try:
        yield
    finally:
        _entered.reset(token)


def within(organization: "Organization | int", pieces: Iterator[Any]) -> Iterator[Any]:
    """The same pieces, each made inside the organization: for answers that are sent bit by bit."""
    while True:
        with enter(organization):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def entered() -> int | None:
    """The id of the organization that was entered, or None."""
    return _entered.get()


def require(organization: "Organization | int") -> int:
    """The organization's id, if it is the one that was entered. Raises OutsideOrganization."""
    key = organization if isinstance(organization, int) else organization.pk
    if _entered.get() != key:
        raise OutsideOrganization(f"Organization {key} was not entered.")
    return key
