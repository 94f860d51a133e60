"""Random things that come out the same for the same seed."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

FIRST_NAMES = (
    "Amina Bruno Chloé Dmitri Eun-ji Farid Grace Hiroshi Ingrid Jamal Kasia Luca Mei Noor "
    "Oluwaseun Priya Quentin Rosa Søren Tomás Ursula Viktor Wanjiru Ximena Yusuf Zoë"
).split()
LAST_NAMES = (
    "Okafor Lindqvist Moreau Tanaka Petrov Haddad Novák O'Brien Kowalska Silva Nguyễn Fischer "
    "Mbeki Rossi Álvarez Sato Johansson Demir Kaur Weiß"
).split()
VERBS = "Add Fix Rework Remove Speed-up Document Guard Split Rename Upgrade Test Simplify".split()
THINGS = (
    "login form|rate limiter|invoice export|retry loop|search index|audit trail|webhook parser|"
    "date picker|cache keys|feature flags|error page|build matrix|session store|CSV import|"
    "health check|mail templates|permissions table|upload progress"
).split("|")
REPOSITORY_NAMES = (
    "api web billing mobile infra search ledger gateway docs reports auth mailer scheduler "
    "console pricing catalog metrics importer sdk design-system"
).split()
REMARKS = (
    "Looks good to me.",
    "Could we name this after what it does?",
    "This misses the empty case.",
    "Nice, much easier to read now 👍",
    "Please add a test for the leap year.",
    "I am not sure that this is thread-safe.",
    "`null` is possible here, see the last incident.",
    "Дальше лучше вынести в отдельный модуль.",
)
LANGUAGES = ("python", "typescript", "go", "java", "")


class Draw:
    """A seeded source of uuids, hashes, names and times."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def uuid(self) -> str:
        """A uuid in braces, as Bitbucket writes them."""
        digits = f"{self.random.getrandbits(128):032x}"
        parts = (digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:])
        return "{" + "-".join(parts) + "}"

    def hash(self) -> str:
        """Forty hexadecimal digits."""
        return f"{self.random.getrandbits(160):040x}"

    def between(self, start: datetime, end: datetime) -> datetime:
        """A moment from start up to end, to the microsecond."""
        span = max(1, (end - start) // timedelta(microseconds=1))
        return start + timedelta(microseconds=self.random.randrange(span))

    def title(self) -> str:
        """What a pull request is about."""
        return f"{self.random.choice(VERBS)} {self.random.choice(THINGS)}"

    def remark(self) -> str:
        """What a reviewer says."""
        return self.random.choice(REMARKS)
