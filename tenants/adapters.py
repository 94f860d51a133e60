"""How allauth signs people in here: who may, with which consumer, and what is encrypted."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import requests
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string

from tenants import access, selectors
from tenants.actor import Actor, client_address
from tenants.models import User
from tenants.secrets import keyring
from tenants.services import accounts, invitations

LONGEST_EMAIL = 254
SIGN_IN_PROVIDER = "bitbucket_oauth2"
SITE = "Tributary"


def public(url: str) -> str:
    """The same page below PUBLIC_URL."""
    scheme, host, *_ = urlsplit(settings.PUBLIC_URL)
    return urlunsplit(urlsplit(str(url))._replace(scheme=scheme, netloc=host))


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up as the setting SIGNUP says; nothing believes the Host header of a request."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "invited":
            return selectors.is_first_user() or selectors.is_invited(request.session)
        return bool(settings.SIGNUP == "open")

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> Any:
        user.name = form.cleaned_data.get("name") or user.name
        with _sign_up(request):
            saved = super().save_user(request, user, form, commit)
            _accept_invitation(request, saved)
        return saved

    def clean_email(self, email: str) -> str:
        if len(email) > LONGEST_EMAIL:
            raise ValidationError(f"An e-mail address has at most {LONGEST_EMAIL} characters.")
        return str(super().clean_email(email))

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def format_email_subject(self, subject: str) -> str:
        return f"[{SITE}] {subject}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        links = {name: public(url) for name, url in context.items() if name.endswith("_url")}
        site = SimpleNamespace(name=SITE, domain=urlsplit(settings.PUBLIC_URL).netloc)
        super().send_mail(template_prefix, email, {**context, **links, "current_site": site})

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failed sign-ins count per address; allauth's own key has the Host header in it."""
        return str(credentials.get("email") or "").strip().lower()

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return f"{settings.PUBLIC_URL}{path.replace('UID-KEY', quote(key))}"


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """One provider: Bitbucket, with the sign-in consumer of the settings.

    People are matched by Bitbucket's `account_id` alone. Somebody whose e-mail address is taken
    here signs in with it first and then connects Bitbucket.
    """

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        if not settings.BITBUCKET_SIGNIN_CLIENT_ID or provider not in {None, SIGN_IN_PROVIDER}:
            return []
        return [
            SocialApp(
                provider=SIGN_IN_PROVIDER,
                name="Bitbucket",
                client_id=settings.BITBUCKET_SIGNIN_CLIENT_ID,
                secret=settings.BITBUCKET_SIGNIN_CLIENT_SECRET,
            )
        ]

    def get_app(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> SocialApp:
        if not self.list_apps(request, provider, client_id):
            raise Http404("Sign-in with Bitbucket is not set up here.")
        return super().get_app(request, provider, client_id)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        with _sign_up(request):
            saved = super().save_user(request, sociallogin, form)
            _accept_invitation(request, saved)
        return saved

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        sociallogin.token = None  # used up; it must not reach the session

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        return False

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> Any:
        user = super().populate_user(request, sociallogin, data)
        user.name = " ".join(str(data.get("name") or "").split())[:150]
        return user

    def get_requests_session(self) -> requests.Session:
        """Bitbucket is asked through the walls of the app above this one: `SIGN_IN_SESSION`."""
        session: requests.Session = import_string(settings.SIGN_IN_SESSION)()
        return session


@contextmanager
def _sign_up(request: HttpRequest) -> Iterator[None]:
    """Asks again whether this person may sign up, when nobody else can be faster any more."""
    with accounts.one_sign_up_at_a_time():
        if not get_adapter(request).is_open_for_signup(request):
            raise ImmediateHttpResponse(render(request, "account/signup_closed.html"))
        yield


def _accept_invitation(request: HttpRequest, user: User) -> None:
    """The invitation with which somebody signs up is used by that: it makes one account."""
    invitation = selectors.held_invitation(request.session)
    if invitation is not None:
        with access.enter(invitation.organization_id):
            invitations.accept(invitation=invitation, user=user, by=Actor.for_user(user, request))


class MFAAdapter(DefaultMFAAdapter):
    """Seeds of second factors are encrypted with FERNET_KEYS, like every secret."""

    def encrypt(self, text: str) -> str:
        return keyring().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return keyring().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Tributary"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.PUBLIC_URL).hostname or "", "name": "Tributary"}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**entity, "display_name": str(user)}
