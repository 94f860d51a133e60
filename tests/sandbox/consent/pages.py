"""/site/oauth2: the consent page for people, the token endpoint for programs."""

from __future__ import annotations

import base64
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.sandbox.answers import Answer, data
from tests.sandbox.api import Incoming
from tests.sandbox.consent.consumers import Consumer, Permit
from tests.sandbox.control.layout import page
from tests.sandbox.paging import last
from tests.sandbox.people import Person
from tests.sandbox.site import Site

ROLES = {"ada": "workspace admin", "ben": "member", "olga": "outsider, belongs to no workspace"}


class Consent:
    """Both endpoints of the OAuth dance."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def answer(self, request: Incoming) -> Answer:
        """One request below /site/oauth2/."""
        if request.path == "/site/oauth2/authorize":
            return self._authorize(request)
        if request.path == "/site/oauth2/access_token" and request.method == "POST":
            return self._token(request)
        return _page(404, "<h1>Page not found</h1>")

    def _authorize(self, request: Incoming) -> Answer:
        pairs = request.pairs if request.method == "GET" else request.form
        consumer = self.site.consumers.by_key.get(last(pairs, "client_id") or "")
        if consumer is None:
            return _page(400, "<h1>Invalid client_id</h1><p>There is no such OAuth consumer.</p>")
        address = last(pairs, "redirect_uri") or consumer.callback_url
        if not consumer.takes(address):
            return _page(400, "<h1>Invalid redirect_uri</h1><p>It is not the registered one.</p>")
        state = last(pairs, "state")
        if last(pairs, "response_type") != "code":
            return _back(address, state, error="unsupported_response_type")
        if request.method == "GET":
            return self._ask(consumer, pairs, address)
        return self._decide(consumer, pairs, address, state)

    def _ask(self, consumer: Consumer, pairs: list[tuple[str, str]], address: str) -> Answer:
        chosen = last(pairs, "persona")
        hidden = _hidden(consumer, address, last(pairs, "state"))
        if chosen not in ROLES:
            return _page(200, _who(consumer, self._personas(), hidden))
        return _page(200, self._what(consumer, self.site.world.persona(chosen), hidden))

    def _personas(self) -> list[Person]:
        return [self.site.world.persona(key) for key in ROLES]

    def _what(self, consumer: Consumer, person: Person, hidden: str) -> str:
        scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in consumer.scopes)
        return (
            f"<h1>{escape(consumer.name)} is requesting access</h1>"
            f"<p>You are signed in as <strong>{escape(person.display_name)}</strong> "
            f"({escape(person.email)}).</p><p>It will be able to:</p><ul>{scopes}</ul>"
            '<form method="post" action="/site/oauth2/authorize">'
            f'{hidden}<input type="hidden" name="persona" value="{person.persona}">'
            f"<fieldset><legend>Workspaces</legend>{self._boxes(person)}</fieldset>"
            '<p class="row"><button name="decision" value="grant" class="primary">Grant access'
            '</button> <button name="decision" value="cancel">Cancel</button></p></form>'
        )

    def _boxes(self, person: Person) -> str:
        places = [w for w in self.site.world.workspaces.values() if w.permission_of(person)]
        if not places:
            return "<p>You belong to no workspace.</p>"
        return "".join(
            f'<label><input type="checkbox" name="workspace" value="{escape(place.slug)}" checked> '
            f"{escape(place.name)} <small>{escape(place.slug)}</small></label>"
            for place in places
        )

    def _decide(
        self, consumer: Consumer, pairs: list[tuple[str, str]], address: str, state: str | None
    ) -> Answer:
        if last(pairs, "decision") != "grant" or last(pairs, "persona") not in ROLES:
            return _back(address, state, error="access_denied")
        person = self.site.world.persona(last(pairs, "persona") or "")
        slugs = {value for key, value in pairs if key == "workspace"}
        ticked = {w.uuid for slug, w in self.site.world.workspaces.items() if slug in slugs}
        code = self.site.consumers.grant(Permit(consumer, person, ticked, address))
        return _back(address, state, code=code)

    def _token(self, request: Incoming) -> Answer:
        consumer = self._client(request)
        if consumer is None:
            return _refused(401, "unauthorized_client", "Invalid OAuth client credentials")
        kind, form = last(request.form, "grant_type"), request.form
        if kind == "authorization_code":
            found = self.site.consumers.redeem(
                consumer, last(form, "code") or "", last(form, "redirect_uri") or ""
            )
            return data(found) if found else _refused(400, "invalid_grant", "The code is invalid")
        if kind == "refresh_token":
            return self._refresh(consumer, last(form, "refresh_token") or "")
        return _refused(400, "unsupported_grant_type", f"Unsupported grant type: {kind}")

    def _refresh(self, consumer: Consumer, secret: str) -> Answer:
        found = self.site.consumers.refresh(consumer, secret)
        if found:
            return data(found)
        if self.site.consumers.rotated_answer == "unauthorized_client":
            return _refused(401, "unauthorized_client", "Invalid OAuth client credentials")
        return _refused(400, "invalid_grant", "Invalid refresh_token")

    def _client(self, request: Incoming) -> Consumer | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return None
        consumer = self.site.consumers.by_key.get(key)
        matches = consumer is not None and consumer.secret == secret
        return consumer if matches and scheme.lower() == "basic" else None


def _who(consumer: Consumer, people: list[Person], hidden: str) -> str:
    buttons = "".join(
        f'<button name="persona" value="{person.persona}">{escape(person.display_name)} '
        f"<small>{ROLES[person.persona or '']}</small></button>"
        for person in people
    )
    return (
        f"<h1>Log in to continue to {escape(consumer.name)}</h1><p>Who are you today?</p>"
        f'<form method="get" action="/site/oauth2/authorize" class="stack">{hidden}{buttons}</form>'
    )


def _hidden(consumer: Consumer, address: str, state: str | None) -> str:
    values = {"client_id": consumer.key, "response_type": "code", "redirect_uri": address}
    if state is not None:
        values["state"] = state
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in values.items()
    )


def _back(address: str, state: str | None, **result: str) -> Answer:
    query = urlencode(result | ({"state": state} if state is not None else {}))
    separator = "&" if urlsplit(address).query else "?"
    answer = Answer(302, b"", "text/html; charset=utf-8")
    answer.headers["location"] = f"{address}{separator}{query}"
    return answer


def _refused(status: int, code: str, description: str) -> Answer:
    body: dict[str, Any] = {"error": code, "error_description": description}
    return data(body, status)


def _page(status: int, body: str) -> Answer:
    return Answer(status, page("Log in", body, narrow=True).encode(), "text/html; charset=utf-8")
