"""The endpoint of AWS's clients: `POST /aws/`. No session, no CSRF: a signature is the only key."""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from connections.aws import wire
from connections.aws.authentication import SignatureAuthentication, claim_of
from connections.aws.errors import OF_CODES, AwsError
from connections.aws.operations import OPERATIONS, Asker, Operation
from connections.services.tags import TooManyTags
from tenants import access
from tenants.actor import Actor, request_id
from tenants.api.reading import flat
from tenants.models import AccessKey, SignedCall

logger = logging.getLogger("tributary.aws")


class Aws(APIView):
    """One call of AWS's protocol, in the organization of the access key that signed it."""

    authentication_classes = [SignatureAuthentication]
    http_method_names = ["post"]
    quota_headers: Mapping[str, str] = {}
    scope: str | None = None
    call: wire.Call

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._door:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.call = wire.call_of(request, kwargs.get("service", ""), kwargs.get("operation", ""))
        self.perform_authentication(request)
        self.check_throttles(request)
        if claim_of(request).service != self.call.service:
            message = f"Credential should be scoped to correct service: '{self.call.service}'."
            raise AwsError("InvalidSignatureException", message)
        self.scope = self.operation.scope
        self.check_permissions(request)
        self._door.enter_context(access.enter(self.key.organization))

    @property
    def key(self) -> AccessKey:
        key = self.request.auth
        if not isinstance(key, AccessKey):
            raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
        return key

    @property
    def operation(self) -> Operation:
        found = OPERATIONS.get(self.call.operation)
        if found is None:
            raise AwsError("UnknownOperationException", "There is no such operation.")
        return found

    def post(self, request: Request, **_: str) -> HttpResponse:
        arguments = self.operation.takes(data=self.call.arguments(request._request.body))
        if not arguments.is_valid():
            told = "; ".join(f"{name}: {said}" for name, said in flat(arguments.errors))
            raise AwsError("InvalidInputException", told[:1000])
        run = self._once if self.operation.writes else self._run
        return self._answer(run(dict(arguments.validated_data)))

    def handle_exception(self, exc: Exception) -> Any:
        told = _told(exc)
        if told is None:
            logger.exception("A call of an AWS client failed.", exc_info=exc)
            told = AwsError("InternalServerException", "This is our mistake. Our log has it.")
        body = {"__type": told.name, "message": told.message, "Message": told.message}
        answer = self._answer(body, told.status_code)
        answer["X-Amzn-ErrorType"] = told.name
        return answer

    def finalize_response(
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> Any:
        for name, value in self.quota_headers.items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        response["X-Amzn-RequestId"] = request_id(request._request)
        return response

    def _run(self, arguments: dict[str, Any]) -> dict[str, Any]:
        asker = Asker(
            organization=self.key.organization,
            region=claim_of(self.request).region,
            by=Actor.for_access_key(self.key, self.request._request),
            user=self.key.made_by,
        )
        return self.operation.run(asker, arguments)

    def _once(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Run what changes something; sent again with the same signature, only its answer."""
        signature = claim_of(self.request).signature
        mine = SignedCall(access_key=self.key, signature=signature)
        with transaction.atomic():
            try:
                with transaction.atomic():
                    mine.save(force_insert=True)  # a second one waits here for the first
            except IntegrityError:
                rows = SignedCall.objects.for_organization(self.key.organization)
                earlier: SignedCall = rows.get(access_key=self.key, signature=signature)
                return dict(earlier.answer)
            mine.answer = self._run(arguments)
            mine.save(update_fields=["answer"])
        return dict(mine.answer)

    def _answer(self, body: dict[str, Any], status: int = 200) -> HttpResponse:
        form = wire.form_of(self.request)
        return HttpResponse(form.dump(body), status=status, headers=form.headers)


def _told(error: Exception) -> AwsError | None:
    """The failure by its name in the protocol; None if it is our own mistake."""
    match error:
        case AwsError():
            return error
        case TooManyTags():
            return AwsError("LimitExceededException", error.message)
        case exceptions.Throttled():
            wait = int(getattr(error, "wait", None) or 1)
            message = f"Rate exceeded. Ask again in {wait} seconds."
            return AwsError("ThrottlingException", message)
        case exceptions.PermissionDenied():
            return AwsError("AccessDeniedException", str(error.detail))
        case exceptions.MethodNotAllowed():
            return AwsError("UnknownOperationException", "Only POST is answered here.")
        case RequestDataTooBig():
            return AwsError("RequestEntityTooLargeException", "A body may have 1 MiB at most.")
        case OperationalError():
            logger.warning("The database did not answer in time.", exc_info=error)
            return AwsError("ServiceUnavailableException", "The database is busy. Ask again.")
    name = OF_CODES.get(getattr(error, "code", ""))
    return AwsError(name, getattr(error, "message", "")) if name else None


answers: Callable[..., HttpResponseBase] = Aws.as_view()
