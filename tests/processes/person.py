"""A person at a browser without scripts, who keeps every answer that was received."""

import re
from urllib.parse import urljoin, urlsplit

import requests

from tests.house import House


class Person:
    """Follows links and sends forms; `seen` holds each answer by its address."""

    def __init__(self, house: House, email: str, password: str) -> None:
        self.house = house
        self.seen: dict[str, str] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self.get("/accounts/login/")
        self.post("/accounts/login/", login=email, password=password)

    def get(self, path: str) -> str:
        """A page, after redirects within the house."""
        return self._keep(self._session.get(urljoin(self.house.url, path), timeout=30))

    def post(self, path: str, **values: str) -> str:
        """Send a form; the page that follows."""
        return self._keep(self._send(path, values, follow=True))

    def leave(self, path: str, **values: str) -> str:
        """Send a form that leads elsewhere; the address to which it leads."""
        answer = self._send(path, values, follow=False)
        self._keep(answer)
        return answer.headers["location"]

    def walk(self, path: str) -> None:
        """Open every page that can be reached from here by links, each once."""
        waiting, met = [path], {path}
        while waiting:
            page = self.get(waiting.pop())
            links = {link.split("#")[0] for link in re.findall(r'href="(/[^"]+)"', page)}
            fresh = {link for link in links if link not in met and _is_worth_it(link)}
            met |= fresh
            waiting += fresh

    def _send(self, path: str, values: dict[str, str], *, follow: bool) -> requests.Response:
        url = urljoin(self.house.url, path)
        form = {**values, "csrfmiddlewaretoken": self._session.cookies.get("csrftoken", "")}
        return self._session.post(url, data=form, allow_redirects=follow, timeout=30)

    def _keep(self, answer: requests.Response) -> str:
        for each in (*answer.history, answer):
            headers = {k: v for k, v in each.headers.items() if k.lower() != "set-cookie"}
            self.seen[f"{len(self.seen)} {each.request.method} {each.status_code}"] = (
                f"{urlsplit(each.url).path}\n{headers}\n{each.text}"
            )
        assert answer.status_code < 500, answer.url
        return answer.text


def _is_worth_it(link: str) -> bool:
    """Pages, one of each kind: not files, not the hundredth filter of a list."""
    return not link.startswith(("/static/", "/api/", "/accounts/logout")) and "?" not in link
