"""A plain client that asks the sandbox as any program would."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import requests

from tests.sandbox import Sandbox

API = "/repositories/acme/api"


class Client:
    """GET and POST below /2.0 with one credential: Bearer, or Basic when an e-mail is given."""

    def __init__(self, sandbox: Sandbox, secret: str | None, email: str | None = None) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        if email is not None:
            self.session.auth = (email, secret or "")
        elif secret:
            self.session.headers["Authorization"] = f"Bearer {secret}"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.close()

    def get(self, path: str, **params: Any) -> requests.Response:
        """An answer, whatever its status."""
        address = path if path.startswith("http") else self.sandbox.api_url + path
        return self.session.get(address, params=params, timeout=5, allow_redirects=False)

    def post(self, path: str, data: Any) -> requests.Response:
        """The same for a form."""
        return self.session.post(self.sandbox.api_url + path, data=data, timeout=5)

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Any method, with JSON."""
        return self.session.request(method, self.sandbox.api_url + path, json=body, timeout=5)

    def values(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a listing, page by page."""
        rows, answer = [], self.get(path, **params)
        while True:
            assert answer.status_code == 200, answer.text
            body = answer.json()
            rows += body["values"]
            if "next" not in body:
                return rows
            answer = self.get(body["next"])
