"""A first sync copies what is there; the next one asks little and writes nothing."""

from typing import Any

from ingestion.models import (
    Comment,
    Coverage,
    Event,
    Person,
    PipelineRun,
    PullRequest,
    Repository,
    Review,
    State,
    Sync,
)
from tests.ingestion.engine.conftest import Copied
from tests.ingestion.engine.rows import all_rows
from tests.sandbox import Sandbox


def test_first_sync_copies_every_record(copied: Copied, sandbox: Sandbox) -> None:
    sync = copied.sync()

    assert sync.state == State.SUCCEEDED, sync.error
    repositories = sandbox.world.workspaces["acme"].repositories.values()
    assert Repository.objects.count() == len(repositories)
    assert Person.objects.filter(is_member=True).count() == len(
        sandbox.world.workspaces["acme"].members
    )
    for there in repositories:
        here = Repository.objects.get(uuid=there.uuid)
        requests = there.pull_requests.values()
        assert PullRequest.objects.filter(repository=here).count() == len(requests)
        assert PipelineRun.objects.filter(repository=here).count() == len(there.pipelines)
        entries = [e for one in requests for e in one.activity]
        shown = [e for e in entries if not (e.comment and e.comment.vanished)]
        assert Event.objects.filter(repository=here).count() == len(shown)
        comments = Comment.objects.filter(repository=here, is_deleted=False)
        assert comments.count() == sum(one.comment_count for one in requests)
        parts = sum(len(one.participants) for one in requests)
        assert Review.objects.filter(repository=here).count() == parts


def test_repository_token_copies_its_repository(copied: Copied, sandbox: Sandbox) -> None:
    scopes = ["repository", "pullrequest", "pipeline"]
    copied.credential.settings = {"repository": "api"}
    copied.credential.secrets = {"api_token": sandbox.tokens.repository("acme", "api", scopes)}
    copied.credential.save()

    sync = copied.sync(streams=["repositories", "pull_requests", "pipelines"])

    assert sync.state == State.SUCCEEDED, sync.error
    assert [one.slug for one in Repository.objects.all()] == ["api"]
    assert PullRequest.objects.count() == 60
    assert PipelineRun.objects.count() == 20


def test_pull_requests_equal_what_bitbucket_has(copied: Copied, sandbox: Sandbox) -> None:
    copied.sync()

    there = sandbox.world.workspaces["acme"].repositories["api"].pull_requests
    for here in PullRequest.objects.filter(repository__slug="api").select_related("author"):
        one = there[here.number]
        assert (here.title, here.state, here.is_draft) == (one.title, one.state, one.draft)
        assert here.updated_on == one.updated_on
        assert here.created_on == one.created_on
        assert (here.author.uuid if here.author else None) == (
            one.author.uuid if one.author else None
        )
        assert here.source_commit == one.source_hash[:12]
        assert here.comment_count == one.comment_count


def test_sync_with_nothing_new_asks_little_and_writes_nothing(
    copied: Copied, sandbox: Sandbox
) -> None:
    copied.sync()
    before, asked = all_rows(), len(sandbox.requests)
    written = set(PullRequest.objects.values_list("pk", "changed_at"))

    sync = copied.sync()

    assert sync.state == State.SUCCEEDED
    assert len(sandbox.requests) - asked == 2 + 2 * len(before["Repository"])
    assert sync.counts["created"] == sync.counts["updated"] == 0
    assert all_rows() == before
    assert set(PullRequest.objects.values_list("pk", "changed_at")) == written


def test_counts_are_of_this_sync_and_of_each_stream(copied: Copied) -> None:
    sync = copied.sync()

    runs = {run.stream: run for run in sync.stream_runs.filter(repository=None)}
    assert runs["pull_requests"].created == PullRequest.objects.count()
    assert runs["pull_request_comments"].created == Comment.objects.count()
    assert sync.counts["created"] == sum(run.created for run in runs.values())
    assert sync.requests == sum(run.requests for run in runs.values())
    assert all(run.state == State.SUCCEEDED for run in runs.values())
    assert runs["pull_requests"].done == runs["pull_requests"].total == 2


def test_requests_are_counted_as_bitbucket_counts_them(copied: Copied, sandbox: Sandbox) -> None:
    sync = copied.sync()

    assert sync.requests == len(sandbox.requests)


def test_coverage_stays_ten_minutes_behind_bitbucket(copied: Copied, sandbox: Sandbox) -> None:
    sync = copied.sync()

    assert sync.started_at
    rows = Coverage.objects.exclude(repository=None).filter(stream="pull_requests")
    assert {row.checkpoint for row in rows} == {None}
    for row in rows:
        assert row.watermark
        assert 595 <= (sync.started_at - row.watermark).total_seconds() <= 605


def test_full_sync_reads_everything_and_changes_nothing(copied: Copied) -> None:
    copied.sync()
    before = all_rows()

    sync = copied.sync(mode="full")

    assert sync.counts["read"] >= PullRequest.objects.count() + Event.objects.count()
    assert sync.counts["created"] == sync.counts["updated"] == 0
    assert all_rows() == before


def test_narrowed_sync_copies_only_its_streams(copied: Copied) -> None:
    sync = copied.sync(streams=["pipelines"])

    assert sync.streams == ["repositories", "pipelines"]
    assert PipelineRun.objects.exists()
    assert not PullRequest.objects.exists()


def test_feed_brings_no_comments_where_nobody_wants_them(copied: Copied) -> None:
    sync = copied.sync(streams=["pull_request_activity"])

    assert sync.state == State.SUCCEEDED, sync.error
    assert Event.objects.filter(kind="comment").exists()
    assert not Comment.objects.exists()


def test_a_sync_keeps_how_complete_its_streams_were(copied: Copied) -> None:
    def complete(sync: Sync) -> dict[str, Any]:
        return dict(
            sync.stream_runs.filter(repository=None).values_list("stream", "complete_as_of")
        )

    first = copied.sync()
    before = complete(first)
    second = copied.sync()

    assert all(before.values())
    assert complete(first) == before
    assert all(complete(second)[stream] >= moment for stream, moment in before.items())
