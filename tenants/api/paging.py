"""Pages of lists: an opaque, signed cursor on the columns that order them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.reading import PageSerializer, flat, query_of
from tenants.prepared import Given, Prepared
from tenants.refusals import InvalidArguments
from tenants.strict_json import FormData

Row = TypeVar("Row", bound=Model)
USUAL_PAGE = 50
PAGE = ("limit", "cursor")  # which part of a list; all else says which list


class PreparedList:
    """A list whose every page is a statement that is compiled once; `build` gives all its rows."""

    def __init__(self, build: Callable[[], QuerySet[Any]]) -> None:
        self._build = build
        self._pages = Prepared(self._page)

    def page(
        self, key: Sequence[str], limit: int, after: Sequence[Any] | None, values: Mapping[str, Any]
    ) -> list[Any]:
        """So many rows in the order of the key, behind those values of it."""
        behind = dict(zip(_places(key), after or (), strict=False))
        return self._pages.rows(tuple(key), limit, after is not None, **values, **behind)

    def _page(self, key: Sequence[str], limit: int, is_behind: bool) -> QuerySet[Any]:
        rows = self._build().order_by(*key)
        if is_behind:
            named = zip(_places(key), key, strict=True)
            after = [Given(place, rows.model, column.lstrip("-")) for place, column in named]
            rows = rows.filter(_behind(key, after))
        return rows[:limit]


def list_answer(cursor: str | None, **told: Any) -> Response:
    """What a page of a list tells, by name, and where the next one begins: None at the end."""
    return Response({**told, "response_metadata": {"next_cursor": cursor}})


def paginate(
    queryset: QuerySet[Row],
    request: Request,
    key: Sequence[str] = ("-created_at", "-id"),
    *,
    usual: int = USUAL_PAGE,
) -> tuple[list[Row], str | None]:
    """One page of rows and the next cursor (None at the end), stable under inserts.

    `key` is a total order of columns that are never null. `usual` rows without `limit`.
    """

    def rows(limit: int, after: Sequence[Any] | None) -> list[Row]:
        ordered = queryset.order_by(*key)
        return list((ordered if after is None else ordered.filter(_behind(key, after)))[:limit])

    return _paginate(rows, queryset.model, request, key, usual)


def paginate_prepared(
    found: PreparedList,
    request: Request,
    key: Sequence[str] = ("-created_at", "-id"),
    *,
    model: type[Row],
    usual: int = USUAL_PAGE,
    **values: Any,
) -> tuple[list[Row], str | None]:
    """The same of a prepared list, with its values."""

    def rows(limit: int, after: Sequence[Any] | None) -> list[Row]:
        return found.page(key, limit, after, values)

    return _paginate(rows, model, request, key, usual)


def _paginate(
    rows: Callable[[int, Sequence[Any] | None], list[Row]],
    model: type[Row],
    request: Request,
    key: Sequence[str],
    usual: int,
) -> tuple[list[Row], str | None]:
    page = _read_page(request)
    limit, salt = page.get("limit", usual), _salt(request, key)
    found = rows(limit + 1, _after(model, key, page["cursor"], salt) if "cursor" in page else None)
    if len(found) <= limit:
        return found, None
    return found[:limit], _cursor(found[limit - 1], key, salt)


def _read_page(request: Request) -> dict[str, Any]:
    query = query_of(request)
    if not query:
        return {}
    sent = FormData({name: query[name] for name in PAGE if name in query})
    serializer = PageSerializer(data=sent)
    if not serializer.is_valid():
        raise InvalidArguments(dict(flat(serializer.errors)))
    return dict(serializer.validated_data)


def _salt(request: Request, key: Sequence[str]) -> str:
    """A cursor is of one list: of a method, a connection, and the filters that were asked for."""
    asked = {name: text for name, text in query_of(request).items() if name not in PAGE}
    return f"tributary.cursor:{','.join(key)}:{request.path}?{urlencode(sorted(asked.items()))}"


def _cursor(row: Model, key: Sequence[str], salt: str) -> str:
    values = [getattr(row, column.lstrip("-")) for column in key]
    kept = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return signing.dumps(kept, salt=salt)


def _after(model: type[Model], key: Sequence[str], cursor: str, salt: str) -> list[Any]:
    """What the last row had in the columns of the key. Raises InvalidArguments."""
    try:
        return [
            _field(model, column).to_python(value)
            for column, value in zip(key, signing.loads(cursor, salt=salt), strict=True)
        ]
    except (signing.BadSignature, ValidationError, ValueError):
        raise InvalidArguments({"cursor": "This cursor is not of this list."}) from None


def _behind(key: Sequence[str], after: Sequence[Any]) -> Q:
    """Rows behind these values: greater by the first column, or equal there and by the next."""
    behind = Q(pk__in=[])
    same = Q()
    for column, value in zip(key, after, strict=True):
        name, compare = column.lstrip("-"), "lt" if column.startswith("-") else "gt"
        behind |= same & Q(**{f"{name}__{compare}": value})
        same &= Q(**{name: value})
    return behind


def _places(key: Sequence[str]) -> list[str]:
    return [f"after.{column.lstrip('-')}" for column in key]


def _field(model: type[Model], column: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(column.lstrip("-")))
