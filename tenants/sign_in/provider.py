"""Who somebody is at Bitbucket. `settings.SOCIALACCOUNT_PROVIDERS` puts it in allauth's place."""

import re
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.bitbucket_oauth2.provider import BitbucketOAuth2Provider
from allauth.socialaccount.providers.bitbucket_oauth2.views import BitbucketOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

KEPT = ("account_id", "uuid", "display_name", "nickname")
ACCOUNT_ID = re.compile(r"[\x21-\x7e]{1,150}")
TOKEN = re.compile(r"[\x21-\x7e]+")  # it travels in a header


class BitbucketAdapter(BitbucketOAuth2Adapter):
    """Speaks to the Bitbucket of the settings; the consumer's secret goes as HTTP Basic.

    The token is used for two questions and then forgotten.
    """

    basic_auth = True

    @property
    def access_token_url(self) -> str:
        return f"{settings.BITBUCKET_CLOUD_WEB_URL}/site/oauth2/access_token"

    @property
    def authorize_url(self) -> str:
        return f"{settings.BITBUCKET_CLOUD_WEB_URL}/site/oauth2/authorize"

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return f"{settings.PUBLIC_URL}{reverse(f'{self.provider_id}_callback')}"

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        account = self._ask("/user", token.token)
        told = account if isinstance(account, dict) else {}
        if not ACCOUNT_ID.fullmatch(_text(told.get("account_id"))):
            raise OAuth2Error("Bitbucket did not say who this is.")
        emails = self._ask("/user/emails", token.token, refusable=True)
        rows = emails.get("values") if isinstance(emails, dict) else None
        return self.get_provider().sociallogin_from_response(
            request,
            {name: _text(told.get(name)) for name in KEPT}
            | {"emails": rows if isinstance(rows, list) else []},
        )

    def parse_token(self, data: dict[str, Any]) -> Any:
        """The token alone. It is used at once, so its life does not matter."""
        token = data.get("access_token") if isinstance(data, dict) else None
        if not TOKEN.fullmatch(_text(token)):
            raise OAuth2Error("Bitbucket's token endpoint answered without a token.")
        return super().parse_token({"access_token": token})

    def _ask(self, path: str, token: str, *, refusable: bool = False) -> Any:
        """One answer of the API. Raises OAuth2Error; None for a refusal that does not matter."""
        with get_adapter().get_requests_session() as session:
            answer = session.get(
                f"{settings.BITBUCKET_CLOUD_API_URL}{path}",
                headers={"Authorization": f"Bearer {token}"},
            )
        if answer.status_code != 200:
            if refusable:
                return None
            raise OAuth2Error(f"Bitbucket answered {answer.status_code} to {path}.")
        return _decoded(answer, path)


class BitbucketAccount(ProviderAccount):
    """An account at Bitbucket as the page of sign-ins names it."""

    def to_str(self) -> str:
        known = self.account.extra_data
        return str(known.get("display_name") or known.get("nickname") or self.account.uid)


class BitbucketSignIn(BitbucketOAuth2Provider):
    """Accounts are known by their `account_id`; only confirmed e-mail addresses count."""

    oauth2_adapter_class = BitbucketAdapter
    account_class = BitbucketAccount

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["account_id"])

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        confirmed = _confirmed(data)
        return {
            "name": data.get("display_name") or data.get("nickname") or "",
            "email": confirmed[0]["email"] if confirmed else None,
        }

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        return [
            EmailAddress(email=row["email"], verified=True, primary=bool(row.get("is_primary")))
            for row in _confirmed(data)
        ]

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {name: data[name] for name in KEPT if name in data}

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return []  # they are fixed on the consumer

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        return {}  # the address decides nothing


def _confirmed(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Confirmed e-mail addresses, the primary one first."""
    rows = [
        row
        for row in data.get("emails", [])
        if isinstance(row, dict) and row.get("is_confirmed") and _text(row.get("email"))
    ]
    return sorted(rows, key=lambda row: not row.get("is_primary"))


def _text(value: Any) -> str:
    """Foreign text that any database keeps; empty for what is no text."""
    found = value.replace("\0", "\ufffd") if isinstance(value, str) else ""
    return found.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _decoded(answer: Any, path: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise OAuth2Error(f"Bitbucket's answer to {path} is no JSON.") from None


provider_classes = [BitbucketSignIn]
