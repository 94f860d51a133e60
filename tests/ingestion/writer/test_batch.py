"""A batch writes only what differs, never the older over the newer, and names what it cannot."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion.models import Comment, Event, Person, PipelineRun, PullRequest, Repository, Review
from ingestion.sources.rows import CommentRow, EventRow, Participant, PersonRow, PipelineRow
from ingestion.writer.batch import Place
from ingestion.writer.details import REMEMBERED
from ingestion.writer.store import REFUSALS
from tests.ingestion.writer.conftest import ADA, MOMENT, Write, pull_request

BEN = PersonRow(uuid="{ben}", name="Ben")


def test_new_row_is_created_with_its_people(write: Write, repository: Repository) -> None:
    batch = write(pull_request())

    assert batch.tally[Place("pull_requests", repository.pk)].created == 1
    row = PullRequest.objects.get()
    assert row.author == Person.objects.get(name="Ada")
    assert row.due_for == row.updated_on


def test_same_row_is_not_written_again(write: Write, repository: Repository) -> None:
    write(pull_request())
    before = PullRequest.objects.get().changed_at

    batch = write(pull_request())

    counts = batch.tally[Place("pull_requests", repository.pk)]
    assert (counts.created, counts.updated, counts.unchanged) == (0, 0, 1)
    assert PullRequest.objects.get().changed_at == before


@pytest.mark.parametrize("careful", [False, True])
def test_reading_of_everything_marks_what_it_sees_and_changes_what_differs(
    write: Write, repository: Repository, careful: bool
) -> None:
    write(pull_request(1), pull_request(2, title="old", age=5), pull_request(3, title="new"))
    before = dict(PullRequest.objects.values_list("number", "changed_at"))
    told = [pull_request(1), pull_request(2, title="new"), pull_request(3, title="old", age=5)]

    with CaptureQueriesContext(connection) as usual:
        write(*told[:1], careful=careful)
    with CaptureQueriesContext(connection) as marked:
        batch = write(*told, pull_request(4), careful=careful, seen_by=2**40)

    counts = batch.tally[Place("pull_requests", repository.pk)]
    assert (counts.created, counts.updated, counts.unchanged) == (1, 1, 2)
    rows = {row.number: row for row in PullRequest.objects.all()}
    assert {row.seen_by for row in rows.values()} == {2**40}
    assert {n for n, row in rows.items() if row.changed_at != before.get(n)} == {2, 4}
    assert rows[2].title == rows[3].title == "new"
    assert len(marked) == len(usual)


def test_older_row_never_replaces_a_newer_one(write: Write) -> None:
    write(pull_request(title="new"))

    write(pull_request(title="old", age=5))

    assert PullRequest.objects.get().title == "new"


def test_newer_row_replaces_and_is_due(write: Write) -> None:
    write(pull_request(title="old", age=5))
    PullRequest.objects.update(activity_done_for=MOMENT - timedelta(minutes=5))

    write(pull_request(title="new"))

    row = PullRequest.objects.get()
    assert row.title == "new"
    assert row.due_for == MOMENT != row.activity_done_for


def test_of_two_versions_in_a_batch_the_newer_stays(write: Write) -> None:
    write(pull_request(title="new"), pull_request(title="old", age=5))

    assert PullRequest.objects.get().title == "new"


def test_statements_do_not_grow_with_the_rows(write: Write) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        write(*[pull_request(number) for number in range(1, 11)])
    with CaptureQueriesContext(connection) as many:
        write(*[pull_request(number) for number in range(11, 501)])

    assert len(many) <= len(few)


def test_reviews_follow_the_participants(write: Write) -> None:
    ada = Participant(
        person=ADA, role="REVIEWER", state="approved", is_approved=True, participated_on=MOMENT
    )
    ben = Participant(
        person=BEN, role="PARTICIPANT", state="", is_approved=False, participated_on=None
    )
    write(pull_request(age=1, participants=(ada, ben)))

    write(pull_request(participants=(ada,)))

    rows = {row.person.name: row for row in Review.objects.select_related("person")}
    assert rows["Ada"].is_approved
    assert rows["Ada"].removed_at is None
    assert rows["Ben"].removed_at is not None


def test_older_listing_leaves_the_reviews(write: Write) -> None:
    ada = Participant(
        person=ADA, role="REVIEWER", state="approved", is_approved=True, participated_on=MOMENT
    )
    write(pull_request(participants=(ada,)))

    write(pull_request(age=5, participants=()))

    assert Review.objects.get().removed_at is None


@pytest.mark.parametrize("bad", [1, 4, 7])
def test_refused_row_is_found_and_the_others_are_kept(write: Write, bad: int) -> None:
    rows = [pull_request(n, comment_count=-1 if n == bad else 0) for n in range(1, 8)]

    with pytest.raises(REFUSALS):
        write(*rows)
    batch = write(*rows, careful=True)

    assert set(PullRequest.objects.values_list("number", flat=True)) == set(range(1, 8)) - {bad}
    (rejection,) = batch.rejections
    assert rejection.key == str(bad)
    assert rejection.reason


def event(**values: object) -> EventRow:
    given: dict[str, object] = {
        "pull_request": 1,
        "kind": "approval",
        "happened_at": MOMENT,
        "person": ADA,
    }
    return EventRow(**(given | values))  # type: ignore[arg-type]


def test_event_of_an_unknown_pull_request_writes_a_bare_one_that_is_due(write: Write) -> None:
    write(event(pull_request=7, title="Later"), stream="pull_request_activity")

    row = PullRequest.objects.get()
    assert (row.number, row.title, row.due_for) == (7, "Later", MOMENT)
    write(pull_request(7, title="Whole"))
    assert PullRequest.objects.get().title == "Whole"


def test_bare_pull_request_makes_way_for_the_listed_one_of_a_moment_before(write: Write) -> None:
    later = MOMENT + timedelta(milliseconds=17)
    write(event(happened_at=later), stream="pull_request_activity")

    write(pull_request(title="Whole"))

    row = PullRequest.objects.get()
    assert (row.title, row.updated_on, row.due_for) == ("Whole", MOMENT, MOMENT)
    write(pull_request(title="Old", age=5))
    assert PullRequest.objects.get().title == "Whole"


def test_a_pull_request_that_was_just_written_is_not_looked_up_for_its_details(
    write: Write,
) -> None:
    write(pull_request(1, participants=()), pull_request(2, participants=()))

    with CaptureQueriesContext(connection) as asked:
        write(event(), event(pull_request=2, person=None), event(pull_request=3, title="Later"))

    looked_up = [one["sql"] for one in asked if 'FROM "ingestion_pullrequest"' in one["sql"]]
    assert ["IN (3)" in sql for sql in looked_up] == [True, True]  # before it is written, and after
    found = Event.objects.values_list("pull_request__number", flat=True)
    assert sorted(found) == [1, 2, 3]


def test_more_pull_requests_than_are_remembered_are_looked_up_again(write: Write) -> None:
    many = range(1, REMEMBERED + 2)
    write(*(pull_request(number, participants=()) for number in many))
    write(*(event(pull_request=number) for number in many[:: REMEMBERED // 4]))

    found = Event.objects.values_list("pull_request__number", flat=True)
    assert sorted(found) == list(many[:: REMEMBERED // 4])


def test_event_comes_once(write: Write) -> None:
    write(pull_request(), event(), event(person=BEN), event(kind="changes_requested"))

    write(event(), event(person=BEN), event(kind="changes_requested"))

    assert Event.objects.count() == 3


def test_event_whose_person_is_nobody_by_now_stays_one_and_keeps_the_person(write: Write) -> None:
    write(pull_request(), event())

    write(event(person=None), event(person=None))

    row = Event.objects.get()
    assert row.person
    assert row.person.name == "Ada"


def test_two_events_of_nobody_stay_two(write: Write) -> None:
    later = MOMENT + timedelta(microseconds=1)

    write(pull_request(), event(person=None), event(person=None, happened_at=later))

    assert Event.objects.count() == 2


def comment(**values: object) -> CommentRow:
    given: dict[str, object] = {
        "pull_request": 1,
        "number": 5,
        "author": ADA,
        "content": "Why?",
        "path": "",
        "line": None,
        "parent_number": None,
        "is_deleted": False,
        "is_resolved": False,
        "created_on": MOMENT,
        "updated_on": MOMENT,
    }
    return CommentRow(**(given | values))  # type: ignore[arg-type]


def test_comment_takes_the_newer_text(write: Write) -> None:
    write(pull_request(), comment(content="new"))

    write(comment(content="old", updated_on=MOMENT - timedelta(hours=1)))

    assert Comment.objects.get().content == "new"


def run(**values: object) -> PipelineRow:
    given: dict[str, object] = {
        "uuid": "{run}",
        "number": 3,
        "run_number": 1,
        "state": "IN_PROGRESS",
        "result": "",
        "trigger": "PUSH",
        "creator": ADA,
        "target": "pipeline_ref_target",
        "ref_name": "main",
        "commit": "0" * 40,
        "duration": None,
        "build_seconds": None,
        "created_on": MOMENT,
        "completed_on": None,
    }
    return PipelineRow(**(given | values))  # type: ignore[arg-type]


def test_finished_run_is_not_undone_by_an_older_answer(write: Write) -> None:
    write(run(state="COMPLETED", completed_on=MOMENT), stream="pipelines")

    write(run(), stream="pipelines")

    assert PipelineRun.objects.get().state == "COMPLETED"


def test_second_run_replaces_the_first(write: Write) -> None:
    write(run(state="COMPLETED", completed_on=MOMENT), stream="pipelines")

    write(run(run_number=2), stream="pipelines")

    row = PipelineRun.objects.get()
    assert (row.run_number, row.state, row.completed_on) == (2, "IN_PROGRESS", None)
