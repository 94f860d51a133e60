"""The tables of connections."""

from connections.models.connection import Connection
from connections.models.consumer import OAuthConsumer
from connections.models.credential import Credential, ExpiryWarning, Grant
from connections.models.draft import (
    SILENCE,
    Consent,
    Draft,
    Verification,
    lost_verifications,
)
from connections.models.link import ConnectLink, open_links
from connections.models.tag import Tag
from connections.models.webhook import WebhookSecret, WebhookSubscription

__all__ = (
    "SILENCE",
    "ConnectLink",
    "Connection",
    "Consent",
    "Credential",
    "Draft",
    "ExpiryWarning",
    "Grant",
    "OAuthConsumer",
    "Tag",
    "Verification",
    "WebhookSecret",
    "WebhookSubscription",
    "lost_verifications",
    "open_links",
)
