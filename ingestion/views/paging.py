"""Pages of a list, by `page` in the address."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

PER_PAGE = 50


def page_of(
    request: HttpRequest, rows: Any, *, per_page: int = PER_PAGE, count: int | None = None
) -> "Page[Any]":
    """The page that the address names; the nearest one where it names none that exists.

    `count` saves asking the database how many rows there are.
    """
    paginator = Paginator(rows, per_page)
    if count is not None:
        paginator.__dict__["count"] = count  # what the cached property would find out
    return paginator.get_page(request.GET.get("page"))
