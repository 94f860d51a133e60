"""What tenants' services refuse, with the code under which the API tells it."""

from collections.abc import Mapping


class Refused(Exception):
    """A change that is not made. The message is a sentence for people."""

    code = "not_allowed"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class DoesNotFit(Refused):
    """A value that cannot be kept; `fields` says which."""

    code = "invalid_arguments"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, fields={field: message})


class LastOwner(Refused):
    """The last owner can neither leave nor be demoted."""

    def __init__(self) -> None:
        super().__init__(
            "An organization needs an owner, and this is its last one. "
            "Make somebody else an owner first."
        )


class NoMember(Refused):
    """Somebody else was faster: the member is none any more."""

    def __init__(self) -> None:
        super().__init__("This person is no longer a member.")


class RoleTooHigh(Refused):
    """Nobody gives away more than one has."""


class InvitationEnded(Refused):
    """The invitation is unknown, used, revoked or too old."""
