"""Events of the audit trail as sentences: “Ada rotated the credential *CI token*”."""

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tenants.actor import KINDS
from tenants.models import AuditEvent
from tenants.roles import Role

RESOURCES = {
    "organizations": "organization",
    "members": "member",
    "invitations": "invitation for",
    "api_keys": "API key",
    "access_keys": "access key",
    "connections": "connection",
    "credentials": "credential",
    "grants": "Bitbucket authorization",
    "consumers": "OAuth consumer",
    "links": "connect link for",
    "drafts": "draft of",
    "syncs": "sync of",
    "webhooks": "webhooks of",
    "deliveries": "delivery",
}

# {} at the end is what it was done to. Whatever is not here reads “<action> the <resource> <name>”.
SENTENCES = {
    "members.joined": "joined",
    "members.left": "left",
    "members.role_changed": "changed the role of {}",
    "organizations.updated": "changed the settings of {}",
    "invitations.created": "invited {}",
    "invitations.revoked": "revoked the invitation for {}",
    "connections.updated": "changed the connection {}",
    "connections.gone_confirmed": "said that the missing repositories of {} are gone",
    "connections.finished": "finished connecting {}",
    "connections.restored": "restored the connection {}",
    "connections.streams_moved": "handed over what {} synced",
    "connections.purged": "forgot the deleted connection {} and its records",
    "connections.renamed_at_bitbucket": "followed the workspace of {} to its new name",
    "connections.disabled": "paused the connection {}",
    "connections.enabled": "resumed the connection {}",
    "credentials.created": "added the credential {}",
    "credentials.rotated": "rotated the credential {}",
    "credentials.expired": "noted that the credential {} has expired",
    "credentials.updated": "changed the credential {}",
    "credentials.verification_asked": "asked to verify the credential {}",
    "credentials.disabled": "switched off the credential {}",
    "credentials.enabled": "switched on the credential {}",
    "secrets.tried": "tried a secret for {}",
    "grants.used": "used the {}",
    "grants.revoked": "revoked the {}",
    "grants.refreshed": "renewed the {}",
    "grants.ended": "found that Bitbucket ended the {}",
    "grants.created": "consented at Bitbucket and gave the {}",
    "grants.renewed": "consented at Bitbucket again, for the {}",
    "grants.ticked": "ticked workspaces of the {}",
    "links.created": "made a connect link for {}",
    "links.used": "spent itself on {}",
    "links.revoked": "revoked the connect link for {}",
    "webhooks.registered": "registered webhooks of {} and gave them a secret",
    "webhooks.rotated": "gave the webhooks of {} a new secret",
    "webhooks.changed": "made, mended or removed webhooks of {}",
    "syncs.cancelled": "stopped the sync of {}",
}


def sentence(event: AuditEvent) -> SafeString:
    """The event as HTML, everything foreign in it escaped."""
    words = SENTENCES.get(_told_as(event)) or _usual(event.event_type)
    before, has_target, _ = words.partition("{}")
    return format_html(
        "<strong>{}</strong> {}{}{}",
        actor_name(event),
        before,
        format_html("<em>{}</em>{}", target_name(event), _of(event.target)) if has_target else "",
        _use(event),
    )


def _told_as(event: AuditEvent) -> str:
    """The type under which it reads best: a credential whose secret changed was rotated."""
    is_new_secret = event.event_type == "credentials.updated" and "secrets" in event.changes
    return "credentials.rotated" if is_new_secret else event.event_type


def _use(event: AuditEvent) -> str:
    """What a secret was used for, and how often: “ for sync 12: 690 requests”."""
    requests, reason = event.changes.get("requests"), event.changes.get("for")
    counted = f": {requests:,} request{'' if requests == 1 else 's'}" if requests else ""
    if not reason:
        return counted
    return (
        f" ({reason}){counted}"
        if event.event_type.endswith(".tried")
        else f" for {reason}{counted}"
    )


def actor_name(event: AuditEvent) -> str:
    """Who did it, as a sentence begins: a person, “API key terraform”, or Tributary itself."""
    name = event.actor_name or event.actor_email or "Somebody"
    kind = KINDS.get(event.actor_type, "")
    return f"{kind[:1].upper()}{kind[1:]} {name}".strip()


def target_name(event: AuditEvent) -> str:
    """What it was done to, as it was called then."""
    return str(event.target.get("name") or event.target.get("id") or "")


def event_name(event_type: str) -> str:
    """A type of event for a list to choose from: “credentials: rotated”."""
    resource, _, action = event_type.partition(".")
    return f"{_spaced(resource)}: {_spaced(action)}"


def details(event: AuditEvent) -> SafeString:
    """What changed, a line each."""
    return format_html_join(
        "", "<div>{}: {}</div>", ((_spaced(k), _value(k, v)) for k, v in event.changes.items())
    )


def _usual(event_type: str) -> str:
    resource, _, action = event_type.partition(".")
    if not action:
        return f"{_spaced(resource)}: {{}}"
    return f"{_spaced(action)} the {RESOURCES.get(resource, _spaced(resource))} {{}}"


def _of(target: dict[str, Any]) -> SafeString | str:
    """The thing that the target belongs to, where the event says it: “ of *Engineering*”."""
    owner = target.get("connection") or target.get("of")
    name = owner.get("name") if isinstance(owner, dict) else owner
    return format_html(" of <em>{}</em>", name) if isinstance(name, str) else ""


def _value(name: str, value: Any) -> str:
    if isinstance(value, list) and len(value) == 2:
        return f"{_plain(name, value[0]) or 'nothing'} → {_plain(name, value[1]) or 'nothing'}"
    return _plain(name, value)


def _plain(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{_spaced(str(key))} {_plain('', each)}" for key, each in value.items())
    if name == "role" and value in Role.values:
        return str(Role(value).label)
    return "" if value is None else str(value)


def _spaced(text: str) -> str:
    return text.replace("_", " ")
