"""The transport's walls around a session of requests, for a library that speaks HTTP by itself."""

from contextlib import closing
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from connections.transport import guard
from connections.transport.errors import ProviderError
from connections.transport.http import (
    CONNECT_TIMEOUT,
    DEADLINE,
    MAX_BODY,
    refuse_inside_transaction,
)
from connections.transport.sockets import GuardedAdapter, Watch


class WalledSession(requests.Session):
    """Guarded addresses, no netrc, proxies, cookies or redirects; every answer read whole, in time.

    What goes wrong is raised as requests' own errors. `settings.SIGN_IN_SESSION` names it.
    """

    def __init__(self, *, deadline: float = DEADLINE, max_body: int = MAX_BODY) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        self.mount("https://", GuardedAdapter())
        self.mount("http://", GuardedAdapter())
        self._deadline = deadline
        self._max_body = max_body

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: whoever asked follows redirects; the library stumbles over some that it reads."""
        return None

    def request(  # type: ignore[override]  # whoever calls it decides on nothing but the content
        self, method: str, url: str, **content: Any
    ) -> requests.Response:
        refuse_inside_transaction()
        content |= {
            "stream": True,
            "allow_redirects": False,
            "timeout": (min(CONNECT_TIMEOUT, self._deadline), self._deadline),
        }
        with Watch(self._deadline) as watch:
            try:
                guard.check_url(url)
                answer = super().request(method, url, **content)
                with closing(answer):
                    self._read(answer)
            except ProviderError as error:
                raise requests.ConnectionError(error.message) from error
            if watch.expired:  # cut off between two lines, which reads like an end
                raise requests.Timeout(f"No whole answer within {self._deadline:g} seconds.")
        return answer

    def _read(self, answer: requests.Response) -> None:
        """Read what `content` gives from then on; its size counts after decompression."""
        parts, size = [], 0
        for part in answer.iter_content(256 * 1024):
            size += len(part)
            if size > self._max_body:
                raise requests.ConnectionError(f"An answer of over {self._max_body} bytes.")
            parts.append(part)
        answer._content = b"".join(parts)
