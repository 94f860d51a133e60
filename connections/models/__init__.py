"""The tables of connections."""

from connections.models.connection import Connection
from connections.models.credential import Credential, Grant
from connections.models.draft import Consent, Draft, Verification

__all__ = ("Connection", "Consent", "Credential", "Draft", "Grant", "Verification")
