"""What was copied, in lists and one pull request at a time."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from connections.models import Connection
from ingestion.models import Comment, Event, Review
from tests.factories import (
    CommitFactory,
    DeploymentFactory,
    PersonFactory,
    PipelineRunFactory,
    PullRequestFactory,
    RepositoryFactory,
    StepFactory,
)
from tests.ingestion.views.conftest import Address, text_of

LISTS = ["records_repositories", "records_pull_requests", "records_pipelines", "records_people"]
LISTS += ["records_deployments", "records_commits"]


@pytest.fixture
def repository(connection: Connection) -> Any:
    return RepositoryFactory.create(connection=connection, name="api")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"Cache tokens", "Read pages"}),
        ({"q": "cache"}, {"Cache tokens"}),
        ({"q": "#7"}, {"Read pages"}),
        ({"q": "7"}, {"Read pages"}),
        ({"q": "Grace"}, {"Cache tokens"}),
        ({"state": "MERGED"}, {"Read pages"}),
        ({"gone": "only"}, {"Gone one"}),
        ({"gone": "with"}, {"Cache tokens", "Read pages", "Gone one"}),
        ({"state": "DECLINED"}, set()),
    ],
)
def test_pull_requests_are_found(
    member: Client, url: Address, repository: Any, query: dict[str, str], shown: set[str]
) -> None:
    grace = PersonFactory.create(connection=repository.connection, name="Grace Hopper")
    make = PullRequestFactory.create
    make(repository=repository, title="Cache tokens", number=3, author=grace)
    make(repository=repository, title="Read pages", number=7, state="MERGED")
    make(repository=repository, title="Gone one", number=9, removed_at=now())

    page = text_of(member.get(url("records_pull_requests"), query))

    assert {t for t in ("Cache tokens", "Read pages", "Gone one") if t in page} == shown


def test_pull_requests_of_one_repository_and_of_one_person(
    member: Client, url: Address, repository: Any
) -> None:
    grace = PersonFactory.create(connection=repository.connection, name="Grace Hopper")
    PullRequestFactory.create(repository=repository, title="Mine", author=grace)
    other = RepositoryFactory.create(connection=repository.connection)
    PullRequestFactory.create(repository=other, title="Elsewhere")

    of_repository = text_of(member.get(url("records_pull_requests"), {"repository": repository.pk}))
    by_grace = text_of(member.get(url("records_pull_requests"), {"author": grace.pk}))

    assert "Elsewhere" not in of_repository
    assert "Only of <strong>acme/api</strong>" in of_repository
    assert "Elsewhere" not in by_grace
    assert "Only by <strong>Grace Hopper</strong>" in by_grace


@pytest.mark.parametrize("name", LISTS)
def test_rows_of_others_are_not_there(
    member: Client, url: Address, connection: Connection, foreign: Connection, name: str
) -> None:
    theirs = RepositoryFactory.create(connection=foreign, name="their-secret")
    author = PersonFactory.create(connection=foreign, name="their-secret")
    PullRequestFactory.create(repository=theirs, title="their-secret", author=author)
    PipelineRunFactory.create(repository=theirs, ref_name="their-secret")

    for query in ({}, {"repository": theirs.pk}, {"author": author.pk}, {"q": "their"}):
        assert "their-secret" not in text_of(member.get(url(name), query)).replace(
            'value="their', ""
        )


@pytest.mark.parametrize("name", LISTS)
def test_records_of_a_deleted_connection_are_not_shown(
    member: Client, url: Address, repository: Any, name: str
) -> None:
    PersonFactory.create(connection=repository.connection)
    PullRequestFactory.create(repository=repository)
    PipelineRunFactory.create(repository=repository)
    Connection.objects.update(deleted_at=now())

    assert "No records to show" in text_of(member.get(url(name)))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        {"q": "\x00"},
        {"q": "x" * 300},
        {"connection": "nonsense"},
        {"connection": "9" * 30},
        {"gone": "maybe"},
        {"sort": "x" * 400},
    ],
)
def test_nonsense_is_named_and_nothing_breaks(
    member: Client, url: Address, repository: Any, name: str, query: dict[str, str]
) -> None:
    assert member.get(url(name), query).status_code == 400


@pytest.mark.parametrize("value", ["x", "0", "-3", "9" * 30, "\x00", "1.5"])
def test_ids_that_no_row_can_have_are_named(
    member: Client, url: Address, repository: Any, value: str
) -> None:
    for name in ("repository", "author"):
        response = member.get(url("records_pull_requests"), {name: value})
        assert response.status_code == 400
        assert "text-bad" in text_of(response)


@pytest.mark.parametrize("sort", ["updated", "-created", "comments", "nonsense", "-"])
def test_lists_sort(member: Client, url: Address, repository: Any, sort: str) -> None:
    PullRequestFactory.create(repository=repository, title="Quiet", comment_count=0)
    PullRequestFactory.create(repository=repository, title="Loud", comment_count=9)

    page = text_of(member.get(url("records_pull_requests"), {"sort": sort}))

    assert "Quiet" in page
    if sort == "comments":
        assert page.index("Quiet") < page.index("Loud")


def test_a_pull_request_tells_its_story_in_order(
    member: Client, url: Address, repository: Any
) -> None:
    connection = repository.connection
    grace = PersonFactory.create(connection=connection, name="Grace Hopper")
    pull_request = PullRequestFactory.create(
        repository=repository,
        title="Cache tokens <b>",
        author=None,
        created_on=now() - timedelta(days=5),
        web_url="https://bitbucket.org/acme/api/pull-requests/3",
    )
    shared = {
        "pull_request": pull_request,
        "repository": repository,
        "connection": connection,
        "changed_at": now(),
    }
    Event.objects.create(
        **shared,
        key="c",
        kind="comment",
        comment_number=8,
        happened_at=now() - timedelta(days=3),
        person=grace,
    )
    Event.objects.create(
        **shared,
        key="m",
        kind="update",
        state="MERGED",
        happened_at=now() - timedelta(days=1),
        person=grace,
    )
    Event.objects.create(
        **shared, key="a", kind="approval", happened_at=now() - timedelta(days=2), person=None
    )
    Comment.objects.create(
        **shared,
        number=8,
        author=grace,
        content="Wait for the <script>lease</script>",
        path="lease.py",
        line=1041,
        created_on=now() - timedelta(days=3),
    )
    Review.objects.create(**shared, person=grace, role="REVIEWER", is_approved=True)

    page = text_of(member.get(url("pull_request", pull_request.pk)))

    told = ["opened it", "commented on <code>lease.py:1041</code>", "approved <", "merged it"]
    story = page[page.index('class="timeline"') :]
    assert sorted(told, key=story.index) == told
    assert story.count("commented") == 1
    assert "<strong>Somebody</strong> approved" in story
    assert "&lt;script&gt;lease" in story
    assert "Cache tokens &lt;b&gt;" in page
    assert "Grace Hopper: approved" in page
    assert 'href="https://bitbucket.org/acme/api/pull-requests/3"' in page


def test_an_update_names_its_commit_only_where_it_is_another(
    member: Client, url: Address, repository: Any
) -> None:
    pull_request = PullRequestFactory.create(
        repository=repository, description="It is slow.", comment_count=3, task_count=0
    )
    for key, commit in enumerate(("a" * 40, "a" * 40, "b" * 40)):
        Event.objects.create(
            pull_request=pull_request,
            repository=repository,
            connection=repository.connection,
            changed_at=now(),
            key=str(key),
            kind="update",
            source_commit=commit,
            happened_at=now() - timedelta(hours=9 - key),
        )

    page = text_of(member.get(url("pull_request", pull_request.pk)))

    assert page.count("updated it to aaaaaaaaaaaa") == 1
    assert page.count("updated it to bbbbbbbbbbbb") == 1
    assert page.count("updated it <") == 1
    assert "<h3>Description</h3>" in page
    assert "<dt>Comments</dt> <dd>3</dd> <dt>Tasks</dt> <dd>0</dd>" in page


def test_a_pull_request_of_others_is_not_there(
    member: Client, url: Address, connection: Connection, foreign: Connection
) -> None:
    theirs = PullRequestFactory.create(repository=RepositoryFactory.create(connection=foreign))

    assert member.get(url("pull_request", theirs.pk)).status_code == 404


@pytest.mark.parametrize(
    ("state", "result", "shape", "word"),
    [
        ("COMPLETED", "SUCCESSFUL", "✓", "Successful"),
        ("COMPLETED", "FAILED", "✕", "Failed"),
        ("COMPLETED", "STOPPED", "–", "Stopped"),
        ("IN_PROGRESS", "RUNNING", "◐", "Running"),
        ("IN_PROGRESS", "HALTED", "◷", "Halted"),
        ("PENDING", "", "◐", "Pending"),
    ],
)
def test_each_state_of_a_run_has_its_shape(
    member: Client, url: Address, repository: Any, state: str, result: str, shape: str, word: str
) -> None:
    PipelineRunFactory.create(repository=repository, state=state, result=result)

    page = text_of(member.get(url("records_pipelines")))

    assert f'<span class="shape" aria-hidden="true">{shape}</span>{word}' in page


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("many", [2, 60])
def test_the_number_of_statements_does_not_grow(
    member: Client,
    url: Address,
    connection: Connection,
    name: str,
    many: int,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(many):
        repository = RepositoryFactory.create(connection=connection)
        author = PersonFactory.create(connection=connection)
        PullRequestFactory.create(repository=repository, author=author)
        run = PipelineRunFactory.create(repository=repository, creator=author)
        DeploymentFactory.create(repository=repository, run_uuid=run.uuid)
        CommitFactory.create(repository=repository, author=author)

    with django_assert_max_num_queries(9):
        assert member.get(url(name)).status_code == 200


def test_long_timelines_take_as_many_statements(
    member: Client, url: Address, repository: Any, django_assert_max_num_queries: Any
) -> None:
    pull_request = PullRequestFactory.create(repository=repository)
    for number in range(30):
        Comment.objects.create(
            pull_request=pull_request,
            repository=repository,
            connection=repository.connection,
            number=number,
            author=PersonFactory.create(connection=repository.connection),
            changed_at=now(),
        )

    with django_assert_max_num_queries(10):
        member.get(url("pull_request", pull_request.pk))


def test_a_run_shows_its_steps_in_the_order_in_which_they_ran(
    member: Client, url: Address, repository: Any
) -> None:
    run = PipelineRunFactory.create(repository=repository, number=7, completed_on=now())
    StepFactory.create(run=run, name="Waits", started_on=None, result="", state="PENDING")
    StepFactory.create(run=run, name="Second")
    StepFactory.create(run=run, name="First", started_on=now() - timedelta(minutes=5))
    StepFactory.create(run=run, name="Dropped", removed_at=now())

    listed = text_of(member.get(url("records_pipelines")))
    page = text_of(member.get(url("pipeline", run.pk)))

    assert url("pipeline", run.pk) in listed
    assert page.index("First") < page.index("Second") < page.index("Waits")
    assert "3 steps" in page
    assert "Dropped" not in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"completed_on": None}, "No steps yet"),
        ({"completed_on": now()}, "Steps are not synced yet"),
        ({"completed_on": now(), "steps_done_for": now()}, "Bitbucket lists none of this run"),
    ],
)
def test_a_run_without_steps_says_why(
    member: Client, url: Address, repository: Any, values: dict[str, Any], words: str
) -> None:
    run = PipelineRunFactory.create(repository=repository, **values)

    assert words in text_of(member.get(url("pipeline", run.pk)))


def test_long_runs_take_as_many_statements(
    member: Client, url: Address, repository: Any, django_assert_max_num_queries: Any
) -> None:
    run = PipelineRunFactory.create(repository=repository)
    for _ in range(30):
        StepFactory.create(run=run)

    with django_assert_max_num_queries(8):
        member.get(url("pipeline", run.pk))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"Blue", "Green"}),
        ({"q": "blu"}, {"Blue"}),
        ({"environment_type": "Staging"}, {"Green"}),
        ({"result": "FAILED"}, {"Green"}),
        ({"gone": "only"}, {"Old"}),
    ],
)
def test_deployments_are_found(
    member: Client, url: Address, repository: Any, query: dict[str, str], shown: set[str]
) -> None:
    make = DeploymentFactory.create
    make(repository=repository, environment="Blue")
    make(repository=repository, environment="Green", environment_type="Staging", result="FAILED")
    make(repository=repository, environment="Old", removed_at=now())

    page = text_of(member.get(url("records_deployments"), query))

    assert {name for name in ("Blue", "Green", "Old") if f">{name}<" in page} == shown


def test_a_deployment_leads_to_its_run_where_that_is_here(
    member: Client, url: Address, repository: Any
) -> None:
    run = PipelineRunFactory.create(repository=repository, number=41)
    DeploymentFactory.create(repository=repository, run_uuid=run.uuid, updated_on=None)
    DeploymentFactory.create(repository=repository, run_uuid="{elsewhere}")
    elsewhere = PipelineRunFactory.create(uuid="{elsewhere}", number=42)

    page = text_of(member.get(url("records_deployments")))

    assert f'<a href="{url("pipeline", run.pk)}">#41</a>' in page
    assert url("pipeline", elsewhere.pk) not in page


def test_commits_show_their_first_line_and_author(
    member: Client, url: Address, repository: Any
) -> None:
    grace = PersonFactory.create(connection=repository.connection, name="Grace Hopper")
    CommitFactory.create(repository=repository, author=grace, message="Begin\n\nin detail")
    CommitFactory.create(repository=repository, author_text="Lin <lin@localhost>", message="")
    CommitFactory.create(repository=repository, message="Dropped", removed_at=now())

    page = text_of(member.get(url("records_commits")))
    mine = text_of(member.get(url("records_commits"), {"author": grace.pk}))

    assert ">Begin<" in page
    assert "in detail" not in page
    assert "Grace Hopper" in page
    assert "Lin &lt;lin@localhost&gt;" in page
    assert "Dropped" not in page
    assert "Only by <strong>Grace Hopper</strong>" in mine
    assert "lin@localhost" not in mine
