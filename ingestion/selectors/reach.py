"""How each credential stands: what it sees, what it may still ask, and with whom it shares that."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Count, F, Q, QuerySet, Value
from django.db.models.lookups import In

from connections.models import Connection, Credential
from ingestion.models import Repository, RepositoryAccess
from ingestion.selectors.quota import QuotaLeft, quota_of_subjects
from tenants import access
from tenants.models import Organization
from tenants.prepared import Given, Prepared, given_list, spread


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`sees` is None as long as no sync has listed with it. `sharing` are the other credentials of
    the organization whose requests Bitbucket counts with these: of them only what names them.
    """

    sees: int | None
    chosen: int
    quota: QuotaLeft | None
    sharing: list[Credential] = field(default_factory=list)

    @property
    def sees_more(self) -> bool:
        """Whether it reaches what nobody chose."""
        return self.sees is not None and self.sees > self.chosen > 0


def standings(credentials: Sequence[Credential]) -> dict[int, Standing]:
    """How credentials of one organization stand, by id. See `settings.CREDENTIAL_STANDINGS`."""
    if not credentials:
        return {}
    organization = credentials[0].organization_id
    seen, chosen = _seen_and_chosen(credentials)
    quota = quota_of_subjects((one.quota_subject for one in credentials), whose=organization)
    others = _others(organization, credentials)
    return {
        one.pk: Standing(
            sees=seen.get(one.pk, one.sees),
            chosen=chosen.get(one.connection_id, 0),
            quota=quota.get(one.quota_subject),
            sharing=[each for each in others if _share(one, each)],
        )
        for one in credentials
    }


def repositories_seen(credential: Credential) -> dict[str, str] | None:
    """Names of the repositories that a credential sees, by their uuid; see
    `settings.CREDENTIAL_REACH`. None where no sync has listed with it.
    """
    rows = RepositoryAccess.objects.filter(RepositoryAccess.SEES, credential=credential)
    rows = rows.filter(repository__removed_at=None)
    return dict(rows.values_list("repository__uuid", "repository__full_name")) or None


def windows(organization_id: int) -> list[tuple[QuotaLeft, list[Credential]]]:
    """Each window of an organization with the credentials that are counted in it, fullest first."""
    rows = _live(organization_id).order_by("connection__name", "connection_id", "pk")
    by_subject = defaultdict[str, list[Credential]](list)
    for credential in rows:
        by_subject[credential.quota_subject].append(credential)
    left = quota_of_subjects(by_subject, whose=organization_id)
    found = [(left[subject], mine) for subject, mine in by_subject.items() if subject]
    return sorted(found, key=lambda one: one[0].percent)


def _seen_and_chosen(credentials: Sequence[Credential]) -> tuple[dict[int, int], dict[int, int]]:
    """How many repositories each sees, by its id; no entry for those that have not listed any. And
    how many are chosen, by the id of the connection.
    """
    sizes, values = spread(
        credential=[one.pk for one in credentials],
        connection=list({one.connection_id for one in credentials}),
    )
    seen, chosen = dict[int, int](), dict[int, int]()
    for pk, is_chosen, count in _COUNTED.rows(*sizes, **values):
        (chosen if is_chosen else seen)[pk] = count
    return seen, chosen


def _others(organization: int, credentials: Sequence[Credential]) -> list[Credential]:
    subjects = list({one.quota_subject for one in credentials} - {""})
    if not subjects:
        return []
    sizes, values = spread(subject=subjects)
    return _ALIKE.rows(*sizes, organization=access.require(organization), **values)


def _live(organization: int) -> QuerySet[Credential]:
    return _alive(Credential.objects.for_organization(organization)).defer("secrets")


def _alive(rows: QuerySet[Credential]) -> QuerySet[Credential]:
    rows = rows.filter(deleted_at=None, connection__deleted_at=None)
    return rows.select_related("connection")


def _counted(credentials: int, connections: int) -> "QuerySet[Any, Any]":
    """Repositories seen by each of so many credentials, and chosen in so many connections."""
    seen = RepositoryAccess.objects.filter(
        In(F("credential_id"), given_list("credential", credentials, Credential, "id"))
    )
    chosen = Repository.objects.filter(
        In(F("connection_id"), given_list("connection", connections, Connection, "id")),
        is_selected=True,
        removed_at=None,
    )
    is_seen = RepositoryAccess.SEES & Q(repository__removed_at=None)
    return _count(seen, "credential_id", Count("pk", filter=is_seen), is_chosen=False).union(
        _count(chosen, "connection_id", Count("pk"), is_chosen=True), all=True
    )


def _count(
    rows: "QuerySet[Any, Any]", by: str, count: Count, *, is_chosen: bool
) -> "QuerySet[Any, Any]":
    kind = Value(is_chosen, output_field=BooleanField())
    counted: QuerySet[Any, Any] = rows.order_by().values_list(by).annotate(kind=kind, n=count)
    return counted


def _alike(subjects: int) -> QuerySet[Credential]:
    """The live credentials of an organization with one of so many subjects, by what names them."""
    rows = Credential.objects.filter(
        In(F("quota_subject"), given_list("subject", subjects, Credential, "quota_subject")),
        organization=Given("organization", Organization, "id"),
    )
    named = rows.only("label", "quota_subject", "secret_hash", "connection__name")
    return _alive(named).order_by("connection__name", "pk")


_COUNTED, _ALIKE = Prepared(_counted), Prepared(_alike)


def _share(one: Credential, other: Credential) -> bool:
    return (
        one.pk != other.pk and bool(one.quota_subject) and one.quota_subject == other.quota_subject
    )
