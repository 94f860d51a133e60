"""Pages of lists: an opaque, signed cursor on the columns that order them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.request import Request

from tenants.api.reading import PageSerializer, flat, query_of
from tenants.refusals import InvalidArguments
from tenants.strict_json import FormData

Row = TypeVar("Row", bound=Model)
USUAL_PAGE = 50
PAGE = ("limit", "cursor")  # which part of a list; all else says which list


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
    page = _read_page(request)
    limit = page.get("limit", usual)
    ordered = queryset.order_by(*key)
    salt = _salt(request, key)
    if "cursor" in page:
        ordered = ordered.filter(_after(ordered.model, key, page["cursor"], salt))
    rows = list(ordered[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _cursor(rows[limit - 1], key, salt)


def _read_page(request: Request) -> dict[str, Any]:
    query = query_of(request)
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


def _after(model: type[Model], key: Sequence[str], cursor: str, salt: str) -> Q:
    """Rows behind the cursor: greater by the first column, or equal there and by the next."""
    try:
        values = [
            _field(model, column).to_python(value)
            for column, value in zip(key, signing.loads(cursor, salt=salt), strict=True)
        ]
    except (signing.BadSignature, ValidationError, ValueError):
        raise InvalidArguments({"cursor": "This cursor is not of this list."}) from None
    behind = Q(pk__in=[])
    same = Q()
    for column, value in zip(key, values, strict=True):
        name, compare = column.lstrip("-"), "lt" if column.startswith("-") else "gt"
        behind |= same & Q(**{f"{name}__{compare}": value})
        same &= Q(**{name: value})
    return behind


def _field(model: type[Model], column: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(column.lstrip("-")))
