"""What people type into the pages of connections."""

from connections.forms.connection import DeleteForm, SettingsForm
from connections.forms.entry import CredentialForm, EntryForm, PasteForm

__all__ = ("CredentialForm", "DeleteForm", "EntryForm", "PasteForm", "SettingsForm")
