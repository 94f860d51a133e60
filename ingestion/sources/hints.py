"""What a webhook tells of, in words that hold for every provider."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Something changed: which record, or which list of a repository, is to be asked for.

    `stream` says of which kind; `number` is a pull request's. `changed_at` is the record's last
    change, where the delivery tells it. `is_detail` says that what changed is a comment, which need
    not move the pull request's own last change; `is_removal` that the repository may be gone.
    """

    stream: str
    repository: str
    repository_name: str = ""
    number: int | None = None
    changed_at: datetime | None = None
    is_detail: bool = False
    is_removal: bool = False

    @property
    def about(self) -> str:
        """Names what is fetched: two deliveries about the same are answered by one fetch."""
        parts = [self.stream, self.repository]
        if self.number is not None:
            parts.append(str(self.number))
        return ":".join([*parts, "comments"] if self.is_detail else parts)
