"""A person at the sandbox's consent page."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests


def consent_at(
    address: str, persona: str, *workspaces: str, cancel: bool = False
) -> dict[str, str]:
    """Consent as this persona, for these workspaces. Returns what the way back says."""
    page = urlsplit(address)
    form = [
        *parse_qsl(page.query),
        ("persona", persona),
        ("decision", "cancel" if cancel else "grant"),
        *(("workspace", slug) for slug in workspaces or ("acme",)),
    ]
    url = f"{page.scheme}://{page.netloc}{page.path}"
    answer = requests.post(url, data=form, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in back.items()}
