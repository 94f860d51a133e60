"""Rows that are there take what each of them is given, in one statement, and nothing else."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion.models import Coverage, Repository
from ingestion.writer.changes import change
from tests.factories import CoverageFactory, RepositoryFactory
from tests.ingestion.writer.conftest import MOMENT

GAP = {"code": "quota", "message": "“Später” \\ 'now'", "retryable": True}
COLUMNS = ("watermark", "gap", "heads", "rows", "is_rotating")


def test_each_row_takes_its_own_values_in_one_statement(repository: Repository) -> None:
    others = [RepositoryFactory.create(connection=repository.connection) for _ in range(2)]
    rows = [CoverageFactory.create(repository=one, gap=GAP) for one in (repository, *others)]
    first, second, third = rows
    first.watermark, first.heads, first.rows = MOMENT + timedelta(microseconds=7), ["a", "b"], 3
    first.gap = None
    second.is_rotating, second.watermark = True, None

    with CaptureQueriesContext(connection) as sent:
        change([first, second], COLUMNS)

    assert len(sent) == 1
    stored = {one.pk: one for one in Coverage.objects.all()}
    for row in rows:
        assert [getattr(stored[row.pk], name) for name in COLUMNS] == [
            getattr(row, name) for name in COLUMNS
        ]
    assert Coverage.objects.filter(gap__isnull=True).get() == first
    assert stored[third.pk].gap == GAP


def test_what_is_not_named_and_what_is_gone_stays_so(repository: Repository) -> None:
    row = CoverageFactory.create(repository=repository, rows=1, refusals=1)
    gone = CoverageFactory.create(connection=repository.connection, repository=None)
    row.rows, row.refusals = 2, 2
    Coverage.objects.filter(pk=gone.pk).delete()

    change([row, gone], ["rows"])

    assert [(one.rows, one.refusals) for one in Coverage.objects.all()] == [(2, 1)]


def test_nothing_is_asked_for_no_rows(repository: Repository) -> None:
    with CaptureQueriesContext(connection) as sent:
        change([], ["rows"])

    assert len(sent) == 0
