"""Reads the environment once, and makes the keys of an embedded installation."""

import os
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()


def var_dir() -> Path:
    """The folder that holds everything an embedded installation keeps: `VAR_DIR`, else `var/`."""
    path = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def load_keys(folder: Path, *, embedded: bool) -> None:
    """Put SECRET_KEY and FERNET_KEYS into the environment, or stop with a sentence that names them.

    An embedded installation (no DATABASE_URL) makes both once, in `keys.env`, readable by its
    owner alone. Anything else must be given them.
    """
    missing = [name for name in ("SECRET_KEY", "FERNET_KEYS") if not os.environ.get(name)]
    if not missing:
        return
    if not embedded:
        raise ImproperlyConfigured(
            f"{' and '.join(missing)} must be set when DATABASE_URL is. "
            "See docs/operate.md, “Keys”."
        )
    path = folder / "keys.env"
    _make_keys(path)
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
