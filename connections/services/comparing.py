"""What a new secret sees beside the one that it replaces."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from connections.connectors import connector
from connections.connectors.findings import Finding
from connections.models import Credential
from connections.services.entries import entry_for
from connections.services.trail import note_use
from connections.services.verification import verify_entry
from connections.transport.errors import ProviderError
from connections.transport.ledger import Purpose
from tenants.actor import Actor

Seen = Mapping[str, str]  # names of repositories by their ids


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the new secret sees beside the old one. `saw` is None where that is not known."""

    sees: int
    saw: int | None
    fewer: tuple[str, ...] = ()  # names of repositories that only the old one sees
    more: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether a person has to confirm it."""
        return bool(self.fewer)


def compare(new: Seen, old: Seen | None) -> Comparison:
    """Side by side, by the repositories' ids."""
    if old is None:
        return Comparison(sees=len(new), saw=None)
    return Comparison(
        sees=len(new),
        saw=len(old),
        fewer=tuple(sorted(name for one, name in old.items() if one not in new)),
        more=tuple(sorted(name for one, name in new.items() if one not in old)),
    )


def seen_by(finding: Finding) -> dict[str, str]:
    """What a verification listed; the whole of it where `whole_list` was asked for."""
    return {one.id: one.name for one in finding.repositories}


def seen_before(finding: Finding, credential: Credential, by: Actor) -> dict[str, str] | None:
    """What the secret of a credential sees, by id: as the last sync saw it, else as it answers now.

    Makes requests then. None where neither tells, and where the finding of the new secret, which it
    is to stand beside, is not whole.
    """
    if not finding.is_whole:
        return None
    kept: dict[str, str] | None = import_string(settings.CREDENTIAL_REACH)(credential)
    if kept is not None:
        return kept
    kind = connector(credential.connection.connector)
    try:
        entry = entry_for(credential, purpose=Purpose.VERIFY)
    except ProviderError:
        return None
    finding = verify_entry(kind, entry, ("repositories",), whole_list=True)
    if finding.requests:
        note_use(credential, by, reason="comparison", requests=finding.requests)
    return seen_by(finding) or None
