"""Pages of lists: an opaque, signed cursor on the columns that order them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.request import Request

from tenants.api.reading import PageSerializer, flat, query_of
from tenants.refusals import InvalidArguments
from tenants.strict_json import FormData

Row = TypeVar("Row", bound=Model)
USUAL_PAGE = 50


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
    if "cursor" in page:
        ordered = ordered.filter(_after(ordered.model, key, page["cursor"]))
    rows = list(ordered[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _cursor(rows[limit - 1], key)


def _read_page(request: Request) -> dict[str, Any]:
    query = query_of(request)
    sent = FormData({name: query[name] for name in PageSerializer().fields if name in query})
    serializer = PageSerializer(data=sent)
    if not serializer.is_valid():
        raise InvalidArguments(dict(flat(serializer.errors)))
    return dict(serializer.validated_data)


def _salt(key: Sequence[str]) -> str:
    return f"tributary.cursor:{','.join(key)}"


def _cursor(row: Model, key: Sequence[str]) -> str:
    values = [getattr(row, column.lstrip("-")) for column in key]
    kept = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return signing.dumps(kept, salt=_salt(key))


def _after(model: type[Model], key: Sequence[str], cursor: str) -> Q:
    """Rows behind the cursor: greater by the first column, or equal there and by the next."""
    try:
        values = [
            _field(model, column).to_python(value)
            for column, value in zip(key, signing.loads(cursor, salt=_salt(key)), strict=True)
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
