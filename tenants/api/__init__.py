"""The base of the API: `ApiView`, errors, strict input, pages of lists."""

from tenants.api.paging import PreparedList, list_answer, paginate, paginate_prepared
from tenants.api.reading import (
    Choice,
    Day,
    Flag,
    IdField,
    Instant,
    Nothing,
    PageSerializer,
    StrictSerializer,
    Text,
    WholeNumber,
    read,
)
from tenants.api.rows import check_if_match, etag, timestamp
from tenants.api.view import AnyKind, ApiView
from tenants.refusals import STATUS_OF_CODE, ApiError, InvalidArguments

__all__ = (
    "STATUS_OF_CODE",
    "AnyKind",
    "ApiError",
    "ApiView",
    "Choice",
    "Day",
    "Flag",
    "IdField",
    "Instant",
    "InvalidArguments",
    "Nothing",
    "PageSerializer",
    "PreparedList",
    "StrictSerializer",
    "Text",
    "WholeNumber",
    "check_if_match",
    "etag",
    "list_answer",
    "paginate",
    "paginate_prepared",
    "read",
    "timestamp",
)
