"""People and bots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True, eq=False)
class Person:
    """An account. `kind` is "user", or "app_user" for bots and access tokens."""

    uuid: str
    account_id: str
    nickname: str
    display_name: str
    email: str
    created_on: datetime
    kind: str = "user"
    persona: str | None = None
