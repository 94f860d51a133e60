"""What is shown once: kept encrypted in the session, from the form that made it to its page."""

import json

from django.http import HttpRequest

from tenants.secrets import SecretsError, keyring


def keep(request: HttpRequest, name: str, **values: str) -> None:
    """Hold values for the next page of this browser."""
    request.session[_key(name)] = keyring().encrypt(json.dumps(values).encode()).decode()


def take(request: HttpRequest, name: str) -> dict[str, str] | None:
    """What was held under this name, and hold it no longer. None: it was shown already."""
    kept = request.session.pop(_key(name), None)
    if kept is None:
        return None
    try:
        values: dict[str, str] = json.loads(keyring().decrypt(kept.encode()))
    except SecretsError:
        return None
    return values


def _key(name: str) -> str:
    return f"shown-once:{name}"
