"""A client of Tributary's own API, as a script would write it."""

from collections.abc import Callable
from typing import Any

import requests


class Refused(Exception):
    """The API answered with an error. The message is its own sentence."""

    def __init__(self, method: str, answer: dict[str, Any]) -> None:
        super().__init__(f"{method}: {answer.get('message') or answer}")
        self.code = str(answer.get("error", ""))
        self.answer = answer


class Api:
    """Calls methods with one key: `api.post("connections.create", name=…)`."""

    def __init__(self, url: str, key: str, *, before: Callable[[], None] | None = None) -> None:
        """`before` is called before each request; it raises where asking is of no use."""
        self._before = before
        self._base = f"{url}/api/"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def get(self, method: str, **params: str) -> dict[str, Any]:
        """Call a method that reads. Raises Refused."""
        return self._call("GET", method, params=params)

    def post(self, method: str, **body: Any) -> dict[str, Any]:
        """Call a method that writes. Raises Refused."""
        return self._call("POST", method, json=body)

    def _call(self, verb: str, method: str, **values: Any) -> dict[str, Any]:
        if self._before is not None:
            self._before()
        response = self._session.request(verb, self._base + method, timeout=60, **values)
        answer: dict[str, Any] = response.json()
        if not answer.get("ok"):
            raise Refused(method, answer)
        return answer
