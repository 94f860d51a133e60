"""What every page may use: times, numbers, badges, bars. `{% load tributary %}`."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django import template
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from structlog.contextvars import get_contextvars

from tenants import actor, badges, charts, formats, selectors
from tenants.models import Invitation

register = template.Library()

register.filter("number", formats.number)
register.filter("roughly", formats.roughly)
register.filter("word", formats.word)
register.filter("duration", formats.duration)
register.filter("short_duration", formats.short_duration)
register.filter("milliseconds", formats.milliseconds)
register.filter("percent", formats.percent)

# --- times -------------------------------------------------------------------------------------


@register.filter
def when(value: datetime | None, otherwise: str = "never") -> SafeString | str:
    """`4 min ago`, with the exact time on hover; kept fresh by tributary.js."""
    if value is None:
        return otherwise
    return _time(value, formats.when(value, timezone.now()), SafeString(" data-relative"))


@register.filter
def clock(value: datetime | None, otherwise: str = "") -> SafeString | str:
    """`14:32`, `tomorrow, 03:00`, with the exact time on hover."""
    if value is None:
        return otherwise
    return _time(value, formats.clock(value, timezone.now()), SafeString(""))


@register.filter
def countdown(value: datetime | None, otherwise: str = "") -> SafeString | str:
    """How long until then: `in 42 s`, `now`, counted down by tributary.js."""
    if value is None:
        return otherwise
    left = value - timezone.now()
    words = f"in {formats.short_duration(left)}" if left > timedelta(seconds=1) else "now"
    return _time(value, words, SafeString(" data-countdown"))


@register.filter
def exact(value: datetime | None, otherwise: str = "never") -> SafeString | str:
    """The whole moment, in the reader's time zone."""
    if value is None:
        return otherwise
    return _time(value, formats.exact(value), SafeString(""))


@register.filter
def day(value: date | None, otherwise: str = "") -> str:
    """`22 Nov 2026`."""
    return otherwise if value is None else formats.day(value)


def _time(value: datetime, words: str, more: SafeString) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        timezone.localtime(value).isoformat(timespec="seconds"),
        formats.exact(value),
        more,
        words,
    )


# --- badges ------------------------------------------------------------------------------------

BADGE = "components/badge.html"


@register.inclusion_tag(BADGE)
def connection_badge(connection: Any) -> badges.Badge:
    """The state of a connection: ● Connected."""
    return badges.of_connection(connection.status)


@register.inclusion_tag(BADGE)
def credential_badge(credential: Any) -> badges.Badge:
    return badges.of_credential(credential.status)


@register.inclusion_tag(BADGE)
def sync_badge(sync: Any, failed: int | None = None, total: int | None = None) -> badges.Badge:
    """The state of a sync: ◷ Waiting until 14:32, ◑ Incomplete: 3 of 100."""
    return badges.of_sync(sync, failed, total)


@register.inclusion_tag(BADGE)
def state_badge(state: str) -> badges.Badge:
    """The state of one stream of a sync."""
    return badges.of_state(state)


@register.inclusion_tag(BADGE)
def check_badge(check: Mapping[str, Any]) -> badges.Badge:
    """What one check found: ✓ 200, ✕ 403, ◐ asking."""
    return badges.of_check(check)


# --- bars --------------------------------------------------------------------------------------


@register.inclusion_tag("components/strip.html")
def sync_strip(syncs: Iterable[Any]) -> dict[str, Any]:
    """The last 20 syncs as bars: complete ones rise, failed ones hang below the line."""
    return {"bars": charts.strip(syncs)}


@register.inclusion_tag("components/stacked_bar.html")
def stacked_bar(parts: Iterable[tuple[str, float, str]], label: str = "") -> dict[str, Any]:
    """One bar of parts, each (name, value, tone); with a legend in percent."""
    return {"parts": charts.stacked(parts), "label": label}


# --- the frame ---------------------------------------------------------------------------------

MESSAGES = {
    "success": ("notice-good", "✓"),
    "warning": ("notice-attention", "▲"),
    "error": ("notice-bad", "✕"),
}


@register.simple_tag(takes_context=True)
def theme_attribute(context: Context) -> SafeString:
    """The theme chosen in this browser, else the one of the account; none: as the system."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request is not None else ""
    theme = chosen if chosen in {"system", "light", "dark"} else context.get("theme", "")
    return format_html('data-bs-theme="{}"', theme) if theme in {"light", "dark"} else SafeString()


@register.simple_tag(takes_context=True)
def request_id(context: Context) -> str:
    """The id under which this request stands in the log; the 500 page has no other context."""
    request = context.get("request")
    known = actor.request_id(request) if request is not None else ""
    return known or str(get_contextvars().get("request_id", ""))


@register.simple_tag(takes_context=True)
def signup_is_open(context: Context) -> bool:
    """Whether somebody may make an account here, now."""
    request = context["request"]
    return bool(get_adapter(request).is_open_for_signup(request))


@register.simple_tag(takes_context=True)
def held_invitation(context: Context) -> Invitation | None:
    """The invitation with which an account would be made here, now."""
    return selectors.held_invitation(context["request"].session)


@register.simple_tag
def passkeys_work() -> bool:
    """Whether this installation's address has a name: browsers allow no key for a bare number."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return not re.fullmatch(r"[\d.]+|.*:.*", host)


@register.simple_tag(takes_context=True)
def addresses_are_confirmed(context: Context) -> bool:
    """Whether all e-mail addresses of the reader are: allauth adds no second factor before."""
    return not EmailAddress.objects.filter(user=context["user"], verified=False).exists()


@register.filter
def message_class(message: Message) -> str:
    return MESSAGES.get(message.level_tag, ("", ""))[0]


@register.filter
def message_shape(message: Message) -> str:
    return MESSAGES.get(message.level_tag, ("", "●"))[1]


@register.filter
def undo_address(message: Message) -> str:
    """Where a message's Undo is posted: its extra tag `undo:<address>`."""
    for tag in (message.extra_tags or "").split():
        if tag.startswith("undo:/") and not tag.startswith("undo://"):
            return tag.removeprefix("undo:")
    return ""


@register.filter
def initial(user: object) -> str:
    """The letter in the avatar."""
    return str(user)[:1].upper()


@register.simple_tag(takes_context=True)
def sort_address(context: Context, column: str) -> str:
    """The address that sorts by this column; a second time, the other way round."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    query["sort"] = f"-{column}" if query.get("sort") == column else column
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def sort_direction(context: Context, column: str) -> str:
    """`ascending` or `descending` where the table is sorted by this column, else nothing."""
    sort = context["request"].GET.get("sort", "")
    return {column: "ascending", f"-{column}": "descending"}.get(sort, "")
