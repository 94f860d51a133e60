"""How each credential stands: what it sees, what it may still ask, and with whom it shares that."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from connections.models import Connection, Credential
from ingestion.models import Repository, RepositoryAccess
from ingestion.selectors.quota import QuotaLeft, quota_of_subjects


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`sees` is None as long as no sync has listed with it. `sharing` are the other credentials of
    the organization whose requests Bitbucket counts with these.
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
    seen = _seen(credentials)
    chosen = _chosen({one.connection_id for one in credentials})
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


def chosen_repositories(connection: Connection) -> dict[str, str]:
    """Names of the repositories that are copied, by their uuid, in the order of their names; see
    `settings.CHOSEN_REPOSITORIES`. None before the first sync has listed them.
    """
    rows = Repository.objects.filter(connection=connection, is_selected=True, removed_at=None)
    return dict(rows.order_by("full_name", "pk").values_list("uuid", "full_name"))


def windows(organization_id: int) -> list[tuple[QuotaLeft, list[Credential]]]:
    """Each window of an organization with the credentials that are counted in it, fullest first."""
    rows = _live(organization_id).order_by("connection__name", "connection_id", "pk")
    by_subject = defaultdict[str, list[Credential]](list)
    for credential in rows:
        by_subject[credential.quota_subject].append(credential)
    left = quota_of_subjects(by_subject, whose=organization_id)
    found = [(left[subject], mine) for subject, mine in by_subject.items() if subject]
    return sorted(found, key=lambda one: one[0].percent)


def _seen(credentials: Iterable[Credential]) -> dict[int, int]:
    """How many repositories each sees; no entry for those that have not listed any."""
    rows = RepositoryAccess.objects.filter(credential__in=credentials)
    counted = rows.values_list("credential").annotate(
        n=Count("pk", filter=RepositoryAccess.SEES & Q(repository__removed_at=None))
    )
    return dict(counted.order_by())


def _chosen(connections: Iterable[int]) -> dict[int, int]:
    rows = Repository.objects.filter(connection__in=connections, is_selected=True, removed_at=None)
    return dict(rows.values_list("connection").annotate(n=Count("pk")).order_by())


def _others(organization: int, credentials: Sequence[Credential]) -> list[Credential]:
    subjects = {one.quota_subject for one in credentials} - {""}
    rows = _live(organization).filter(quota_subject__in=subjects)
    return list(rows.order_by("connection__name", "pk"))


def _live(organization: int) -> QuerySet[Credential]:
    rows = Credential.objects.for_organization(organization).filter(
        deleted_at=None, connection__deleted_at=None
    )
    return rows.select_related("connection").defer("secrets")


def _share(one: Credential, other: Credential) -> bool:
    return (
        one.pk != other.pk and bool(one.quota_subject) and one.quota_subject == other.quota_subject
    )
