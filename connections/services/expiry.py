"""Secrets that expire: reminders before it, and the state after it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import now as present

from connections.models import Credential, ExpiryWarning
from connections.services.locks import hold
from connections.services.states import expired, reconsider
from connections.services.trail import note
from tenants.actor import Actor
from tenants.models import Membership
from tenants.roles import LOWEST_ROLE, RANK, Permission

log = structlog.get_logger(__name__)
WARNED = (1, 7, 14, 30)  # days before a credential expires
BATCH = 500
AGAIN = timedelta(minutes=10)  # after which a reminder that no worker finished is sent again


def watch(*, now: datetime | None = None) -> None:
    """Note what has expired, and remind of what will. Outside of any organization."""
    moment = now or present()
    expire(moment)
    remind(moment)
    send_reminders(moment)


def expire(moment: datetime) -> int:
    """Note the credentials whose date lies behind. Returns how many."""
    states = (Credential.Status.ACTIVE, Credential.Status.LIMITED, Credential.Status.INVALID)
    over = _dated().filter(status__in=states, expiration_date__lt=moment.astimezone(UTC).date())
    rows = list(over.order_by("pk")[:BATCH])
    for credential in rows:
        _expire(credential)
    return len(rows)


@transaction.atomic
def _expire(credential: Credential) -> None:
    hold(credential.connection_id)
    message = expired(credential)
    mine = Credential.objects.filter(
        pk=credential.pk, expiration_date=credential.expiration_date, disabled_at=None
    )
    if mine.update(status=Credential.Status.EXPIRED, status_message=message):
        note("credentials.expired", credential, Actor.system())
        reconsider(credential.connection, because=("credential_expired", message))


def remind(moment: datetime) -> int:
    """Note whom to remind: of each credential once at each distance. Returns how many are new."""
    today = moment.astimezone(UTC).date()
    near = _dated().filter(
        expiration_date__range=(today, today + timedelta(days=max(WARNED))),
        status__in=(Credential.Status.ACTIVE, Credential.Status.LIMITED),
    )
    due = [_warning(one, today) for one in near.order_by("pk")]
    known = set(
        ExpiryWarning.objects.filter(credential__in=[one.credential_id for one in due]).values_list(
            "credential_id", "expiration_date", "days"
        )
    )
    new = [one for one in due if (one.credential_id, one.expiration_date, one.days) not in known]
    ExpiryWarning.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _warning(credential: Credential, today: date) -> ExpiryWarning:
    last = credential.expiration_date or today
    days = next(one for one in WARNED if (last - today).days <= one)
    return ExpiryWarning(
        credential=credential,
        organization_id=credential.organization_id,
        expiration_date=last,
        days=days,
    )


def send_reminders(moment: datetime) -> int:
    """Mail the reminders that were not sent; each is taken by one worker. Returns how many."""
    free = Q(taken_at=None) | Q(taken_at__lt=moment - AGAIN)
    waiting = ExpiryWarning.objects.filter(free, sent_at=None)
    waiting = waiting.filter(expiration_date__gte=moment.astimezone(UTC).date())
    rows = waiting.select_related("credential__connection__organization").order_by("pk")
    sent = 0
    for warning in rows[:BATCH]:
        mine = ExpiryWarning.objects.filter(free, pk=warning.pk, sent_at=None)
        if mine.update(taken_at=moment):
            sent += _send(warning, moment)
    return sent


def _send(warning: ExpiryWarning, moment: datetime) -> bool:
    """Mail one. It is tried again later where the mail server does not take it."""
    told = Reminder.of(warning, moment.astimezone(UTC).date())
    people = admins(warning.organization_id)  # in one message: nobody gets it a second time
    try:
        EmailMessage(told.subject, told.text, bcc=people).send()
    except OSError as error:  # also what smtplib raises
        log.warning("reminder not sent", credential=warning.credential_id, error=str(error))
        return False
    ExpiryWarning.objects.filter(pk=warning.pk).update(sent_at=moment)
    return True


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """What an admin is told."""

    subject: str
    text: str

    @classmethod
    def of(cls, warning: ExpiryWarning, today: date) -> "Reminder":
        credential = warning.credential
        connection = credential.connection
        path = reverse(
            "connections:credentials", args=(connection.organization.slug, connection.pk)
        )
        about = {
            "credential": credential,
            "connection": connection,
            "when": in_days((warning.expiration_date - today).days),
            "is_last": not _has_other(credential),
            "link": f"{settings.PUBLIC_URL}{path}",
        }
        subject = f"{credential.label} of {connection.name} expires {about['when']}"
        return cls(
            subject=" ".join(subject.split()),
            text=render_to_string("connections/mail/expires.txt", about),
        )


def in_days(days: int) -> str:
    """“today”, “tomorrow”, “in 7 days”."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def admins(organization_id: int) -> list[str]:
    """The addresses of those who may replace a secret."""
    least = RANK[LOWEST_ROLE[Permission.CONNECT]]
    roles = [role for role, rank in RANK.items() if rank >= least]
    rows = Membership.objects.filter(
        organization=organization_id, role__in=roles, user__is_active=True
    )
    return list(rows.order_by("user__email").values_list("user__email", flat=True))


def _has_other(credential: Credential) -> bool:
    others = _dated(dated=False).filter(connection=credential.connection_id)
    usable = (Credential.Status.ACTIVE, Credential.Status.LIMITED)
    return others.exclude(pk=credential.pk).filter(status__in=usable).exists()


def _dated(*, dated: bool = True) -> "QuerySet[Credential]":
    rows: QuerySet[Credential] = Credential.objects.filter(
        deleted_at=None, disabled_at=None, connection__deleted_at=None
    ).select_related("connection")
    return rows.exclude(expiration_date=None) if dated else rows
