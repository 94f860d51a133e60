"""Who asks: the access key whose secret signed the request."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.timezone import now
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from connections.aws.errors import AwsError
from tenants.authentication import note_use
from tenants.models import AccessKey, User
from tenants.signature import Claim, DoesNotMatch, NotSigned, Signed, check, read_claim

REGION = re.compile(r"[a-z]{2,3}(-[a-z]{2,16}){1,3}-[0-9]{1,2}")
_NO_SECRET = "no-key-has-this-secret"  # noqa: S105  # an unknown key takes as long as a wrong one


class SignatureAuthentication(BaseAuthentication):
    """Signature Version 4. `request.auth` is the access key, `request.user` its maker."""

    def authenticate(self, request: Request) -> tuple[User | None, AccessKey]:
        claim = claim_of(request)
        if not REGION.fullmatch(claim.region):
            raise AwsError(
                "InvalidSignatureException",
                f"Credential should be scoped to a valid region, not '{claim.region}'.",
            )
        key = AccessKey.objects.select_related("organization", "made_by").filter(
            key_id=claim.key_id, revoked_at__isnull=True
        )
        found = key.first()
        secret = (found.secrets or {}).get("secret", _NO_SECRET) if found else _NO_SECRET
        try:
            check(claim, signed(request), secret=secret, hosts=hosts(request), now=now())
        except DoesNotMatch as error:
            if found is not None:
                raise AwsError("InvalidSignatureException", str(error)) from None
        if found is None:
            raise _unknown("The security token included in the request is invalid.")
        if found.has_expired and found.expires_at:
            raise _unknown(f"This access key expired on {found.expires_at:%Y-%m-%d}.")
        note_use(found)
        return found.made_by, found


def claim_of(request: Request) -> Claim:
    """What the request claims. Raises the protocol's errors for none, or a broken one."""
    if not request.headers.get("Authorization"):
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    try:
        return read_claim({"authorization": request.headers["Authorization"]})
    except NotSigned as error:
        raise AwsError("IncompleteSignatureException", str(error)) from None


def signed(request: Request) -> Signed:
    """The request as the client signed it."""
    return Signed(
        method=request.method or "",
        path=request._request.path,
        query=str(request.META.get("QUERY_STRING", "")),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request._request.body,
    )


def hosts(request: Request) -> list[str]:
    """The public name of this installation, and the one that the request has arrived with."""
    public = urlsplit(settings.PUBLIC_URL)
    usual = {"https": ":443", "http": ":80"}.get(public.scheme, "")
    return list(dict.fromkeys([public.netloc.removesuffix(usual), request._request.get_host()]))


def _unknown(message: str) -> AwsError:
    return AwsError("UnrecognizedClientException", message)
