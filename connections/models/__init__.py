"""The tables of connections."""

from connections.models.connection import Connection
from connections.models.credential import Credential, Grant
from connections.models.draft import (
    SILENCE,
    Consent,
    Draft,
    Verification,
    lost_verifications,
)

__all__ = (
    "SILENCE",
    "Connection",
    "Consent",
    "Credential",
    "Draft",
    "Grant",
    "Verification",
    "lost_verifications",
)
