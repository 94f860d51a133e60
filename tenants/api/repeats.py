"""`Idempotency-Key`: a write that is sent twice happens once."""

import json
import logging
import re
from typing import Any

from django.db import DatabaseError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.models import ApiKey, IdempotentCall
from tenants.refusals import ApiError, InvalidArguments
from tenants.secrets import keyed_hash
from tenants.services import idempotency
from tenants.services.idempotency import Kept, KeyInProgress, KeyReused

logger = logging.getLogger("tributary.api")
HEADER = "Idempotency-Key"
SHAPE = r"[\x21-\x7e]{1,255}"


class AnsweredBefore(Exception):
    """This call was made before: its answer is at hand, and nothing is to be done."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def begin(request: Request, api_key: ApiKey) -> IdempotentCall | None:
    """Take the key that a write came with; None where it came with none. Raises AnsweredBefore."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not re.fullmatch(SHAPE, key):
        told = "1 to 255 printable characters without blanks, such as a UUID."
        raise InvalidArguments({HEADER: told})
    match = request._request.resolver_match
    method = (match.url_name if match else None) or request.path
    try:
        found = idempotency.begin(
            api_key=api_key, method=method, key=key, sent_hash=_hash_of(request)
        )
    except (KeyReused, KeyInProgress) as refused:
        raise ApiError(refused.code, refused.message) from None
    if isinstance(found, Kept):
        headers = {"Idempotency-Replayed": "true"}
        raise AnsweredBefore(Response(found.body, status=found.status, headers=headers))
    return found


def end(call: IdempotentCall, response: Response) -> None:
    """Keep the answer of a call that went well; forget one that did not."""
    try:
        if 200 <= response.status_code < 300:
            idempotency.keep(call, response.status_code, response.data)
        else:
            idempotency.forget(call)
    except DatabaseError:  # what was done stays done: the sender is told so all the same
        logger.exception("The answer to an idempotent call could not be kept.")


def _hash_of(request: Request) -> str:
    """What was asked, without telling it: the same JSON in another order is the same."""
    data: Any = request.data
    body = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return keyed_hash("idempotency", request.get_full_path(), type(data).__name__, body)
