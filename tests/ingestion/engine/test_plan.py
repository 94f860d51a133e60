"""Lining up the repositories costs no question for each of them."""

from typing import Any

import pytest

from ingestion.engine.book import Book
from ingestion.engine.plan import Plan
from ingestion.engine.run import Run
from ingestion.engine.visits.pull_requests import PullRequestsVisit
from tests.ingestion.engine.conftest import Copied
from tests.sandbox import Scale


@pytest.mark.parametrize("scale", [Scale(repositories=6, pull_requests=2, pipelines=2)])
def test_line_up(copied: Copied, django_assert_num_queries: Any) -> None:
    copied.sync()
    sync = copied.start()
    book = Book(sync)
    book.load()
    plan = Plan(Run(sync=sync, connection=copied.connection, book=book))

    with django_assert_num_queries(1):
        plan.visit_repositories()

    with django_assert_num_queries(1):
        assert isinstance(plan.take(), PullRequestsVisit)
