"""What a form would do, as a call of the API: a command that works as it stands."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

SECRET = "\ue000"  # noqa: S105  # a secret in a body; in the command it is $SECRET


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """One write: the method with its address below /api/, and the body."""

    method: str
    body: Mapping[str, Any]

    @property
    def takes_secret(self) -> bool:
        return SECRET in json.dumps(self.body, ensure_ascii=False)

    @property
    def command(self) -> str:
        """The call as curl, with the key in $TRIBUTARY_KEY and a secret in $SECRET."""
        body = json.dumps(self.body, ensure_ascii=False, indent=2)
        lines = (
            f"curl --request POST {shlex.quote(f'{settings.PUBLIC_URL}/api/{self.method}')}",
            '  --header "Authorization: Bearer $TRIBUTARY_KEY"',
            "  --header 'Content-Type: application/json'",
            f"  --data {quoted(body)}",
        )
        return " \\\n".join(lines)


def quoted(text: str) -> str:
    """For a shell, which puts secrets in where they are meant, and reads nothing else."""
    parts = (f"'{_apostrophes(part)}'" for part in text.split(SECRET))
    return '"$SECRET"'.join(parts)


def _apostrophes(text: str) -> str:
    return text.replace("'", "'\"'\"'")
