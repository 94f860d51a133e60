"""A repository to write into."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from ingestion.models import Repository
from ingestion.sources.rows import PersonRow, PullRequestRow, Row
from ingestion.writer.batch import Batch, Place
from ingestion.writer.details import PullRequestKeys
from ingestion.writer.people import People
from tenants import access
from tests.factories import ConnectionFactory

MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)
ADA = PersonRow(uuid="{ada}", name="Ada")
Write = Callable[..., Batch]


@pytest.fixture
def repository(transactional_db: None) -> Iterator[Repository]:
    connection = ConnectionFactory.create()
    with access.enter(connection.organization):
        yield Repository.objects.create(
            connection=connection,
            uuid="{api}",
            name="api",
            updated_on=MOMENT,
            changed_at=MOMENT,
        )


@pytest.fixture
def write(repository: Repository) -> Write:
    """Writes rows of the repository in one batch, as a slice does."""
    keys = PullRequestKeys()

    def write(
        *rows: Row,
        stream: str = "pull_requests",
        careful: bool = False,
        seen_by: int | None = None,
    ) -> Batch:
        people = People(repository.connection_id)
        people.load()
        batch = Batch(
            organization_id=repository.organization_id,
            connection_id=repository.connection_id,
            people=people,
            now=datetime.now(UTC),
            is_selected=lambda row: True,
            careful=careful,
            seen_by=seen_by,
            pull_requests=keys,
        )
        with transaction.atomic():
            batch.write([(Place(stream, repository.pk), rows)])
        return batch

    return write


def pull_request(number: int = 1, *, age: int = 0, **values: Any) -> PullRequestRow:
    """A pull request that changed `age` minutes before the moment."""
    given: dict[str, Any] = {
        "number": number,
        "title": "Add a page",
        "description": "",
        "state": "OPEN",
        "is_draft": False,
        "author": ADA,
        "closed_by": None,
        "source_branch": "page",
        "source_commit": "0123456789ab",
        "source_repository_uuid": "{api}",
        "destination_branch": "main",
        "destination_commit": "ba9876543210",
        "merge_commit": "",
        "close_source_branch": False,
        "reason": "",
        "comment_count": 0,
        "task_count": 0,
        "web_url": "",
        "created_on": MOMENT - timedelta(days=1),
        "updated_on": MOMENT - timedelta(minutes=age),
        "participants": None,
    }
    return PullRequestRow(**(given | values))
