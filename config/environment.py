"""Reads the environment once, and makes the keys of an embedded installation."""

import os
import re
import secrets
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

DEMO = "demo.env"  # in VAR_DIR: where the demo's simulated Bitbucket is
BASE_DIR = Path(__file__).resolve().parent.parent
SHORTEST_KEY = 16  # characters


class Environment(environ.Env):
    """Reads settings; one that cannot be read is named, and its value is not repeated."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except ImproperlyConfigured:
            raise ImproperlyConfigured(f"{var} must be set. See docs/operate.md.") from None
        except (ValueError, TypeError, KeyError):
            raise ImproperlyConfigured(
                f"{var} is set to something that it cannot be. See docs/operate.md."
            ) from None


env = Environment()


def one_of(name: str, allowed: tuple[str, ...], *, default: str) -> str:
    """A setting that is one of a few words."""
    value: str = env.str(name, default=default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}.")
    return value


def at_least(least: int, name: str, *, default: int) -> int:
    """A setting that is a whole number."""
    value: int = env.int(name, default=default)
    if value < least:
        raise ImproperlyConfigured(f"{name} must be {least} or more.")
    return value


def whole_numbers(name: str, *, default: str) -> list[int]:
    """A list of whole numbers, none below 0."""
    found = names(name, default=default)
    if not all(part.isascii() and part.isdigit() for part in found):
        raise ImproperlyConfigured(f"{name} must be whole numbers, separated by commas.")
    return [int(part) for part in found]


def service(name: str, schemes: tuple[str, ...]) -> str:
    """The address of a server; empty where none is set. It may hold a password: never shown."""
    value: str = env.str(name, default="")
    scheme, separator, _ = value.partition("://")
    if value and (not separator or scheme not in schemes):
        allowed = ", ".join(f"{each}://" for each in schemes)
        raise ImproperlyConfigured(f"{name} must be an address that begins with one of {allowed}.")
    for each in re.split(r";(?=\w+://)", value):  # Celery takes several brokers
        _check_port(name, each)
    return value


def _check_port(name: str, address: str) -> None:
    try:
        _ = urlsplit(address).port
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be an address whose port, if any, is a number."
        ) from None


def names(name: str, *, default: str = "") -> list[str]:
    """A setting that is a list, separated by commas, with or without blanks."""
    value: str = env.str(name, default=default)
    return [part.strip() for part in value.split(",") if part.strip()]


def secret_key() -> str:
    """The key that signs sessions and links, not so short that it could be guessed."""
    key: str = env.str("SECRET_KEY")
    if len(key) < SHORTEST_KEY:
        raise ImproperlyConfigured(f"SECRET_KEY must be {SHORTEST_KEY} characters or more.")
    return key


def fernet_keys() -> list[str]:
    """The keys of stored secrets, none so short that it could be guessed."""
    found = names("FERNET_KEYS")
    if any(len(key) < SHORTEST_KEY for key in found):
        raise ImproperlyConfigured(
            f"FERNET_KEYS must be keys of {SHORTEST_KEY} characters or more. "
            "See docs/operate.md, “Keys”."
        )
    return found


def web_address(name: str, *, default: str, has_path: bool = True) -> str:
    """The address of a web server, without a slash at its end."""
    value: str = env.str(name, default=default).rstrip("/")
    example = default if default.startswith("https:") else "https://tributary.example.com"
    wrong = ImproperlyConfigured(f"{name} must be an address such as {example}.")
    try:
        parts = urlsplit(value)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        raise wrong from None
    if not fits or "@" in parts.netloc or parts.query or parts.fragment:
        raise wrong
    if parts.path and not has_path:
        raise ImproperlyConfigured(f"{name} must end with the host: no page is below a path.")
    return value


def sender(name: str, *, default: str) -> str:
    """Whom mails come from: an address, with or without a name before it."""
    value: str = env.str(name, default=default)
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", parseaddr(value)[1]):
        raise ImproperlyConfigured(f"{name} must be a mail address.")
    return value


def hosts_with_ports(name: str) -> frozenset[str]:
    """Hosts that are named with their port, such as `bitbucket.internal:7990`."""
    found = [host.lower() for host in names(name)]
    if not all(re.fullmatch(r"([^\s:/@\[\]]+|\[[0-9a-f:.]+\]):\d{1,5}", host) for host in found):
        raise ImproperlyConfigured(f"{name} must name each host with its port, as in host:443.")
    return frozenset(found)


def oauth_consumer(prefix: str, *, default: tuple[str, str] = ("", "")) -> tuple[str, str]:
    """Client id and secret of an OAuth consumer: both or none."""
    both = f"{prefix}_CLIENT_ID", f"{prefix}_CLIENT_SECRET"
    client, secret = (env.str(name, default="") for name in both)
    if bool(client) != bool(secret):
        missing, given = both if secret else reversed(both)
        raise ImproperlyConfigured(f"{missing} must be set when {given} is.")
    return (client, secret) if client else default


def database(name: str, *, default: str) -> dict[str, Any]:
    """A database by its address."""
    found: dict[str, Any] = env.db_url_config(env.str(name, default="") or default)
    if not found["NAME"]:
        raise ImproperlyConfigured(f"{name} must name a database: postgres://user@host:5432/name.")
    return found


def var_dir() -> Path:
    """The folder that holds everything an embedded installation keeps: `VAR_DIR`, else `var/`."""
    path = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds sessions and keys
    except OSError as problem:
        raise ImproperlyConfigured(f"VAR_DIR cannot be used: {problem}.") from None
    return path


def load_demo(folder: Path, *, embedded: bool) -> None:
    """Lead whoever works in a demo's folder to its simulated Bitbucket, never to the real one."""
    path = folder / DEMO
    if embedded and path.is_file():
        environ.Env.read_env(str(path))  # what is set already stays


def load_keys(folder: Path, *, embedded: bool) -> None:
    """Put SECRET_KEY and FERNET_KEYS into the environment, or stop with a sentence that names them.

    An embedded installation (no DATABASE_URL) makes both once, in `keys.env`, readable by its
    owner alone. Anything else must be given them.
    """
    names = ("SECRET_KEY", "FERNET_KEYS")
    missing = [name for name in names if not os.environ.get(name, "").strip(" ,")]
    if not missing:
        return
    if not embedded:
        raise ImproperlyConfigured(
            f"{' and '.join(missing)} must be set when DATABASE_URL is. "
            "See docs/operate.md, “Keys”."
        )
    path = folder / "keys.env"
    _make_keys(path)
    for name in missing:
        os.environ.pop(name, None)
    environ.Env.read_env(str(path))


def _make_keys(path: Path) -> None:
    """Write the keys file unless it is there; two processes that start at once make one file."""
    content = f"SECRET_KEY={secrets.token_urlsafe(50)}\nFERNET_KEYS={secrets.token_urlsafe(32)}\n"
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
