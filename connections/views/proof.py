"""Which verification a visitor's browser began: it sees how that goes, and no other."""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connections.models import Verification

PROOF = "connect-proof"
KEPT_FOR = 7200  # seconds


def to_checks(begun: Verification) -> HttpResponse:
    """On to the page of these checks, which this browser may see."""
    answer = redirect("connections:connect_verify")
    answer.set_signed_cookie(
        PROOF,
        f"{begun.organization_id} {begun.pk}",
        max_age=KEPT_FOR,
        path="/connect/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return answer


def proof_held(request: HttpRequest) -> tuple[int, int] | None:
    """The organization and the verification that this browser's cookie names."""
    try:
        value = request.get_signed_cookie(PROOF, max_age=KEPT_FOR) or ""
        organization, verification = value.split(" ")
        return int(organization), int(verification)
    except (KeyError, ValueError, signing.BadSignature):
        return None
