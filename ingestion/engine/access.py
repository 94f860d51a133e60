"""Which credential sees which repository, as it is kept between slices."""

from collections.abc import Collection

from ingestion.engine.pool import Pool
from ingestion.engine.run import Run
from ingestion.models import Repository, RepositoryAccess


def load(pool: Pool) -> None:
    """Tell the pool what is known."""
    keys = [member.key for member in pool.members]
    rows = RepositoryAccess.objects.filter(credential__in=keys).values_list(
        "credential_id", "repository__uuid", "seen_at", "refused_at"
    )
    pool.know(
        {
            (credential, uuid): seen is not None and (refused is None or refused < seen)
            for credential, uuid, seen, refused in rows
        }
    )


def keep(run: Run, but: Collection[str] = ()) -> None:
    """Write what was learned since, for the repositories that are here.

    `but` are those that may be gone: who had seen them says so, until they are.
    """
    news = {key: sees for key, sees in run.pool.take_news().items() if key[1] not in but}
    if not news:
        return
    mine = Repository.objects.filter(connection_id=run.connection.home_id)
    keys = dict(mine.values_list("uuid", "pk"))
    pairs = {(one, keys[uuid]): sees for (one, uuid), sees in news.items() if uuid in keys}
    for sees in (True, False):
        _write(run, [pair for pair, seen in pairs.items() if seen is sees], sees)


def _write(run: Run, pairs: Collection[tuple[int, int]], sees: bool) -> None:
    moment = "seen_at" if sees else "refused_at"
    now = run.clock.now()
    RepositoryAccess.objects.bulk_create(
        [
            RepositoryAccess(
                organization_id=run.sync.organization_id,
                credential_id=credential,
                repository_id=repository,
                **{moment: now},
            )
            for credential, repository in sorted(pairs)
        ],
        update_conflicts=True,
        unique_fields=["credential", "repository"],
        update_fields=[moment],
        batch_size=500,
    )


def witnesses(run: Run, missing: Collection[Repository]) -> dict[int, set[int]]:
    """Who had seen each of these repositories, of the credentials that were asked.

    Where nothing was ever noted of a repository, everybody is taken to have seen it.
    """
    everybody = {member.key for member in run.pool.members}
    found: dict[int, set[int]] = {}
    rows = RepositoryAccess.objects.filter(repository__in=missing).annotate(
        sees=RepositoryAccess.SEES
    )
    for repository, credential, seen in rows.values_list("repository", "credential", "sees"):
        mine = found.setdefault(repository, set())
        if seen and credential in everybody:
            mine.add(credential)
    return {one.pk: found.get(one.pk, everybody) for one in missing}
