"""What people type into the pages of connections."""

from connections.forms.connection import DeleteForm, SettingsForm
from connections.forms.consumer import ConsumerForm
from connections.forms.entry import CredentialForm, EntryForm, PasteForm

__all__ = ("ConsumerForm", "CredentialForm", "DeleteForm", "EntryForm", "PasteForm", "SettingsForm")
