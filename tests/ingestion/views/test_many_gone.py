"""The question of whether many repositories are really gone, on the page of their connection."""

import pytest
from django.test import Client

from connections.models import Connection
from ingestion.models import Coverage
from tenants.models import AuditEvent
from tests.factories import CoverageFactory, RepositoryFactory
from tests.ingestion.views.conftest import Address, text_of

SAID = "7 repositories are not listed any more."
BUTTON = "They are really gone</button>"


def ask(connection: Connection) -> Coverage:
    """As after a sync whose listing lacked many."""
    made: Coverage = Coverage.objects.create(
        organization_id=connection.organization_id,
        connection=connection,
        stream="repositories",
        gap={
            "code": "many_gone",
            "message": "7 repositories are not listed any more.",
            "mended_by": "admin",
        },
        checkpoint={"walk": {"missing": [1, 2, 3, 4, 5, 6, 7], "confirmed": False}},
    )
    return made


@pytest.fixture
def asked(connection: Connection) -> Coverage:
    return ask(connection)


def test_a_reading_of_everything_asks_too_and_one_answer_does(
    member: Client, url: Address, connection: Connection, asked: Coverage
) -> None:
    repository = RepositoryFactory.create(connection=connection)
    gap = {"code": "many_gone", "message": "4 of 12 pull requests are not listed any more."}
    mine = {"sync": 1, "begun": "", "window": None, "count": 4, "confirmed": False, "gap": gap}
    CoverageFactory.create(
        repository=repository, connection=connection, stream="pull_requests", gap=gap, missing=mine
    )
    left = RepositoryFactory.create(connection=connection, is_selected=False)
    gone = {"code": "many_gone", "message": "Of one that is not synced any more."}
    CoverageFactory.create(
        repository=left, connection=connection, stream="pipelines", gap=gone, missing=mine
    )
    page = text_of(member.get(url("connection", connection.pk)))
    assert SAID in page
    assert "4 of 12 pull requests" in page
    assert gone["message"] not in page
    assert page.count(BUTTON) == 1

    page = text_of(member.post(url("connection_gone", connection.pk), follow=True))

    assert BUTTON not in page
    assert Coverage.objects.get(stream="pull_requests").is_confirmed
    event = AuditEvent.objects.get(event_type="connections.gone_confirmed")
    assert event.changes == {"repositories": 7, "pull_requests": 4}


def test_a_person_says_that_they_are_gone(
    member: Client, url: Address, connection: Connection, asked: Coverage
) -> None:
    page = text_of(member.get(url("connection", connection.pk)))
    assert SAID in page
    assert BUTTON in page

    responses = [member.post(url("connection_gone", connection.pk), follow=True) for _ in range(2)]

    for response in responses:
        page = text_of(response)
        assert BUTTON not in page
        assert "The next sync asks Bitbucket for each of them" in page
    asked.refresh_from_db()
    assert asked.checkpoint
    assert asked.checkpoint["walk"]["confirmed"] is True
    event = AuditEvent.objects.get(event_type="connections.gone_confirmed")
    assert event.changes == {"repositories": 7}


def test_the_question_needs_somebody_until_it_is_answered(
    member: Client, url: Address, connection: Connection, asked: Coverage
) -> None:
    overview = text_of(member.get(url("overview")))
    head = text_of(member.get(url("connection", connection.pk)))
    member.post(url("connection_gone", connection.pk))
    answered = text_of(member.get(url("overview")))

    assert "much is not listed any more" in overview
    assert "Needs you" in head
    assert head.count(SAID) == 1
    assert "Needs you" not in answered


def test_without_the_question_nothing_is_said(
    member: Client, url: Address, connection: Connection
) -> None:
    page = text_of(member.post(url("connection_gone", connection.pk), follow=True))

    assert BUTTON not in page
    assert not AuditEvent.objects.exists()


def test_a_viewer_reads_the_question(
    viewer: Client, url: Address, connection: Connection, asked: Coverage
) -> None:
    page = text_of(viewer.get(url("connection", connection.pk)))

    assert SAID in page
    assert BUTTON not in page
    assert viewer.post(url("connection_gone", connection.pk)).status_code == 403


def test_the_question_of_others_is_not_there(
    member: Client, url: Address, foreign: Connection
) -> None:
    assert member.post(url("connection_gone", foreign.pk)).status_code == 404
    assert member.get(url("connection_gone", foreign.pk)).status_code == 405
