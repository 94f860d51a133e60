"""Webhooks of single repositories, where that of the workspace may not be made."""

from connections.services import webhooks
from connections.services.webhook_secrets import forget_secrets, make_secret
from connections.services.webhook_status import Standing, status_of
from tests.connections.hooked import acme, chosen, hooks_of, of_owner


def test_where_the_workspace_refuses_each_chosen_repository_gets_one(connection, actor, sandbox):
    chosen(connection, sandbox, "api", "web")

    done = webhooks.register(connection=connection, by=actor)

    assert hooks_of(sandbox) == []
    assert [len(hooks_of(sandbox, slug)) for slug in ("api", "web", "billing")] == [1, 1, 0]
    assert (sorted(done.created), done.problem) == (["acme/api", "acme/web"], None)
    assert status_of(connection).standing == Standing.ACTIVE


def test_repositories_beyond_the_first_are_done_by_a_worker(
    connection, actor, sandbox, django_capture_on_commit_callbacks
):
    for number in range(webhooks.AT_ONCE):
        sandbox.change.new_repository("acme", f"more-{number}")
    many = len(chosen(connection, sandbox))

    with django_capture_on_commit_callbacks() as sent:
        done = webhooks.register(connection=connection, by=actor)
    standing = status_of(connection).standing
    webhooks.go_on_registering(connection)

    assert (len(done.created), len(done.left)) == (webhooks.AT_ONCE, many - webhooks.AT_ONCE)
    assert (standing, len(sent)) == (Standing.INCOMPLETE, 1)
    assert {len(hooks_of(sandbox, slug)) for slug in acme(sandbox).repositories} == {1}
    assert status_of(connection).standing == Standing.ACTIVE


def test_workers_go_on_until_none_is_left_or_none_can_be_done(
    connection, actor, sandbox, django_capture_on_commit_callbacks
):
    make_secret(connection)
    chosen(connection, sandbox, "api", "web")

    with django_capture_on_commit_callbacks() as first:
        webhooks.go_on_registering(connection, most=1)
    with django_capture_on_commit_callbacks() as last:
        webhooks.go_on_registering(connection, most=1)
    forget_secrets(connection)
    with django_capture_on_commit_callbacks() as removing:
        webhooks.go_on_removing(connection, most=1)
    sandbox.faults.add("/hooks", status=500, method="DELETE", body="{}")
    with django_capture_on_commit_callbacks() as refused:
        done = webhooks.go_on_removing(connection, most=1)

    assert [len(sent) for sent in (first, last, removing, refused)] == [1, 0, 1, 0]
    assert (len(done.left), done.removed) == (1, [])


def test_a_webhook_of_a_repository_that_is_gone_is_left_to_be_made(connection, actor, sandbox):
    chosen(connection, sandbox, "api")
    webhooks.register(connection=connection, by=actor)
    sandbox.change.delete_hook(hooks_of(sandbox, "api")[0].uuid)
    webhooks.look(connection=connection, by=actor)

    left = [one.name for one in status_of(connection).left]
    webhooks.go_on_registering(connection)

    assert left == ["acme/api"]
    assert len(hooks_of(sandbox, "api")) == 1


def test_repositories_that_are_not_chosen_any_more_lose_theirs(connection, actor, sandbox):
    api, _ = chosen(connection, sandbox, "api", "web")
    webhooks.register(connection=connection, by=actor)
    type(api).objects.filter(pk=api.pk).update(is_selected=False)

    done = webhooks.register(connection=connection, by=actor)

    assert (hooks_of(sandbox, "api"), len(hooks_of(sandbox, "web"))) == ([], 1)
    assert done.removed == ["acme/api"]


def test_a_webhook_of_the_workspace_replaces_those_of_repositories(connection, actor, sandbox):
    chosen(connection, sandbox, "api", "web")
    webhooks.register(connection=connection, by=actor)
    of_owner(connection, sandbox)

    done = webhooks.register(connection=connection, by=actor)

    assert len(hooks_of(sandbox)) == 1
    assert hooks_of(sandbox, "api") == hooks_of(sandbox, "web") == []
    assert (done.created, len(done.removed)) == (["acme"], 2)
