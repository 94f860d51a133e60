"""What can stand in the way of a change. Each has a `code` of the API and a sentence."""

from collections.abc import Sequence
from typing import ClassVar

from connections.connectors.findings import Finding
from connections.connectors.schema import InvalidFields
from connections.models import Connection
from tenants.formats import listed

NAMED = 10  # repositories that a sentence names
InvalidSettings = InvalidFields  # code invalid_arguments; `fields` has a sentence per dotted name


class Refused(Exception):
    """A change was not made. Nothing is stored."""

    code: ClassVar[str] = "invalid_arguments"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NameTaken(Refused):
    """Another connection of the organization has this name."""

    code = "name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"Another connection is already called “{name}”.")


class AlreadyConnected(Refused):
    """The organization has connected this workspace already: by `connection`."""

    code = "already_connected"

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            f"This workspace is connected already, as “{connection.name}”. "
            "Add a credential there instead."
        )
        self.connection = connection
        self.extra = {"connection_id": connection.pk}


class ConnectionInUse(Refused):
    """Other connections depend on this one: `dependents`."""

    code = "connection_in_use"

    def __init__(self, dependents: Sequence[Connection]) -> None:
        names = ", ".join(f"“{one.name}”" for one in dependents)
        super().__init__(f"{names} cannot work without this connection. Delete that first.")
        self.dependents = list(dependents)


class ParentRequired(Refused):
    """A connection of this kind stands beneath another, and there is none that works: `parent`."""

    code = "parent_required"

    def __init__(self, label: str, parent: Connection | None = None) -> None:
        told = f"This belongs to a connection of the type {label}. Name one of yours that works."
        if parent is not None:
            told = f"“{parent.name}” does not work at the moment. Mend it first, or name another."
        super().__init__(told)
        self.parent = parent


class MultipleCredentialsNotSupported(Refused):
    """This kind of connection takes one credential, and has it."""

    code = "multiple_credentials_not_supported"

    def __init__(self) -> None:
        super().__init__("This kind of connection takes one credential only.")


class UnknownMethodGiven(Refused):
    """The connector has no such method."""

    code = "unknown_method"


class VersionChanged(Refused):
    """Somebody changed the row since it was read."""

    code = "precondition_failed"

    def __init__(self) -> None:
        super().__init__("This was changed since you read it. Read it again, then decide.")


class ConnectionDeleted(VersionChanged):
    """Somebody deleted the connection in the meantime."""

    code = "connection_not_found"


class CredentialDeleted(VersionChanged):
    """Somebody deleted the credential in the meantime."""

    code = "credential_not_found"


class VerificationFailed(Exception):
    """The checks found that the secret does not do. Nothing is stored; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.code = finding.outcome
        self.message = finding.message
        self.missing_scopes = finding.missing_scopes
        self.streams_available = finding.streams_available
        self.retry_after = finding.retry_after


class OtherWorkspace(Refused):
    """The secret opens another workspace than the one that is connected."""

    code = "workspace_not_found"

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            f"This secret opens the workspace {found}, but the connection is to {expected}."
        )


class NotTicked(Refused):
    """The authorization was not given for the workspace that it is needed for."""

    code = "workspace_not_found"

    def __init__(self, workspace: str) -> None:
        super().__init__(
            f"The authorization was not given for {workspace}. Authorize again, with an account "
            "that belongs to that workspace, and tick it."
        )


class NotTheOwner(Refused):
    """Somebody else's account gave this authorization."""

    code = "not_allowed"

    def __init__(self, owner: str) -> None:
        super().__init__(
            f"Only {owner or 'the person who gave it'} can tick workspaces of this authorization."
        )


class AlreadyFinished(Refused):
    """Somebody else has finished this connection in the meantime."""

    code = "already_connected"

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            f"{connection.finished_by_name or 'Somebody'} has finished this connection already. "
            "There is nothing left to do here."
        )
        self.connection = connection


class NotConfirmed(Refused):
    """A new secret sees less than the old one, and nobody said that this is meant."""

    def __init__(self, fewer: int) -> None:
        many = "1 repository" if fewer == 1 else f"{fewer:,} repositories"
        super().__init__(
            f"The new secret sees {many} fewer. Say that this is meant, or use another."
        )


class SeesLess(Refused):
    """A new secret sees less than the old one, and was to be refused then."""

    code = "precondition_failed"

    def __init__(self, fewer: Sequence[str]) -> None:
        shown = list(fewer[:NAMED])
        others = [f"{len(fewer) - NAMED:,} others"] if len(fewer) > NAMED else []
        many = "1 repository" if len(fewer) == 1 else f"{len(fewer):,} repositories"
        super().__init__(f"The new secret does not see {many}: {listed([*shown, *others])}.")


class TwinRefused(Refused):
    """A new secret does not do for another connection that uses the old one: nothing changed."""

    def __init__(self, connection: Connection, why: str) -> None:
        super().__init__(f"It does not do for {connection.name}. {why} Nothing was changed.")


class NotVerified(Refused):
    """A draft cannot be finished before its checks passed."""

    code = "connection_not_ready"

    def __init__(self, message: str = "The checks have not passed yet.") -> None:
        super().__init__(message)


class NoWebhooks(NotVerified):
    """Connections of this kind have no webhooks of their own."""

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} has no webhooks of its own: those of its workspace tell of it.")


class VerificationsTooMany(Refused):
    """Too many verifications in this minute. `retry_after` is in seconds."""

    code = "rate_limited"
    told = "Many verifications were started in this minute. Wait a little, then try again."

    def __init__(self, retry_after: int) -> None:
        super().__init__(self.told)
        self.retry_after = retry_after


class LinksTooMany(VerificationsTooMany):
    """Too many connect links in this hour. `retry_after` is in seconds."""

    told = "Many connect links were made in this hour. Wait a little, then try again."


class TriesTooMany(VerificationsTooMany):
    """Too many tries with one connect link. `retry_after` is in seconds."""

    told = "This link was tried many times. Wait ten minutes, then try again."


class LinkEnded(Refused):
    """The connect link lets nobody in any more."""

    code = "link_ended"


class ConsentFailed(Refused):
    """A consent came to nothing. `return_path` is where the browser goes on, where known."""

    code = "consent_failed"

    def __init__(self, message: str, *, return_path: str = "") -> None:
        super().__init__(message)
        self.return_path = return_path


class ConsentUnknown(ConsentFailed):
    """The answer belongs to no consent of ours."""


class ConsentElsewhere(ConsentFailed):
    """The answer came to another browser session, or to somebody else."""


class ConsentUsed(ConsentFailed):
    """The answer came a second time."""


class ConsentExpired(ConsentFailed):
    """The answer came too late."""


class ConsentRefused(ConsentFailed):
    """The person chose Cancel at Bitbucket."""


class ConsentNotAllowed(ConsentFailed):
    """The person may no longer connect anything here."""

    code = "not_allowed"


class NoConsumer(ConsentFailed):
    """No OAuth consumer is set."""
