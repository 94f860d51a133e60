"""The tab Webhooks of a connection."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connections.models import Connection
from connections.selectors import webhook_secrets
from tenants import access
from tenants.roles import Role
from tests.connections.hooked import chosen, hooks_of, of_owner
from tests.connections.views.conftest import Visit
from tests.connections.views.test_wizard import text
from tests.factories import ConnectionFactory, DeliveryFactory, MembershipFactory
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
Url = Callable[..., str]


@pytest.fixture
def owned(connection: Connection, sandbox: Sandbox) -> Connection:
    """A connection with a credential that may make webhooks of the whole workspace."""
    of_owner(connection, sandbox)
    return connection


def believed(connection: Connection) -> tuple[str, ...]:
    with access.enter(connection.organization):
        return webhook_secrets(connection)


def shown(page: Any) -> str:
    """The secret on a page."""
    found = re.search(r"<code>([\w-]{40,})</code>", page.content.decode())
    assert found, text(page)
    return found[1]


def test_registering_shows_the_secret_once(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    tab = url("connection_webhooks", owned.pk)
    before = text(member.get(tab))

    made = post(url("connection_webhooks_register", owned.pk))
    once, again = member.get(made.url), member.get(made.url)

    assert "Changes are found by the next sync" in before
    assert (shown(once),) == believed(owned)
    assert once["Cache-Control"] == "no-store"
    assert again.url == tab
    after = member.get(tab)
    assert "one webhook hears of all repositories of acme" in text(after)
    assert shown(once) not in after.content.decode()


def test_looking_with_head_does_not_spend_the_secret(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    made = post(url("connection_webhooks_register", owned.pk))

    assert member.head(made.url).status_code == 405
    assert (shown(member.get(made.url)),) == believed(owned)


def test_a_secret_is_shown_for_its_own_connection_alone(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    other = ConnectionFactory.create(organization=owned.organization)
    post(url("connection_webhooks_register", owned.pk))

    page = member.get(url("connection_webhooks_secret", other.pk))

    assert page.url == url("connection_webhooks", other.pk)


def test_rotating_says_how_long_the_old_secret_is_believed(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    post(url("connection_webhooks_register", owned.pk))

    made = post(url("connection_webhooks_register", owned.pk), rotate="1")

    page = member.get(made.url)
    assert "The one before is believed until" in text(page)
    assert len(believed(owned)) == 2
    assert "the one before is believed until" in text(
        member.get(url("connection_webhooks", owned.pk))
    )


def test_where_no_credential_may_a_command_is_shown(
    member: Client, post: Visit, url: Url, connection: Connection, sandbox: Sandbox
) -> None:
    sandbox.change.remove_scope("acme workspace token", "webhook")
    chosen(connection, sandbox, "api")

    made = post(url("connection_webhooks_register", connection.pk))
    page = text(member.get(made.url))
    tab = text(member.get(url("connection_webhooks", connection.pk)))

    assert "lacks the scope webhook" in page
    for seen in (page, tab):
        assert "For the whole workspace acme" in seen
        assert "For acme/api alone" in seen
        assert "$SECRET" in seen
    assert believed(connection)[0] not in tab


def test_what_somebody_made_by_hand_counts_once_it_has_delivered(
    member: Client, post: Visit, url: Url, connection: Connection, sandbox: Sandbox
) -> None:
    sandbox.change.remove_scope("acme workspace token", "webhook")
    tab = url("connection_webhooks", connection.pk)
    post(url("connection_webhooks_register", connection.pk))
    before = text(member.get(tab))

    DeliveryFactory.create(connection=connection, event="repo:push")

    after = text(member.get(tab))
    assert "Needs somebody at Bitbucket" in before
    assert "Make it by hand" in before
    assert "by a webhook that somebody made there" in after
    assert "Make it by hand" not in after


def test_looking_again_says_what_happened_at_bitbucket_and_repair_mends_it(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    member.get(post(url("connection_webhooks_register", owned.pk)).url)
    sandbox.change.edit_hook(hooks_of(sandbox)[0].uuid, active=False)
    tab = url("connection_webhooks", owned.pk)

    post(url("connection_webhooks_look", owned.pk))
    broken = text(member.get(tab))
    post(url("connection_webhooks_register", owned.pk))
    mended = text(member.get(tab))

    assert "Needs repair" in broken
    assert "Switched off at Bitbucket" in broken
    assert "Webhooks repaired: acme." in mended
    assert "Needs repair" not in mended


def test_repositories_without_a_webhook_are_named(
    member: Client, post: Visit, url: Url, connection: Connection, sandbox: Sandbox
) -> None:
    chosen(connection, sandbox, "api")
    member.get(post(url("connection_webhooks_register", connection.pk)).url)
    chosen(connection, sandbox, "web")

    page = text(member.get(url("connection_webhooks", connection.pk)))

    assert "1 chosen repository has no webhook yet: acme/web" in page


def test_removing_is_asked_once_more(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    post(url("connection_webhooks_register", owned.pk))
    remove = url("connection_webhooks_remove", owned.pk)

    asked = text(member.get(remove))
    post(remove)

    assert "1 webhook is deleted at Bitbucket" in asked
    assert (hooks_of(sandbox), believed(owned)) == ([], ())
    assert "Webhooks removed: acme." in text(member.get(url("connection_webhooks", owned.pk)))


def test_what_could_not_be_removed_stays_in_view(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    post(url("connection_webhooks_register", owned.pk))
    sandbox.faults.add("/hooks", status=500, method="DELETE", body="{}")

    post(url("connection_webhooks_remove", owned.pk))

    page = text(member.get(url("connection_webhooks", owned.pk)))
    assert "1 could not be removed at Bitbucket" in page
    assert "Remove again" in page


def test_a_viewer_reads_it_and_changes_nothing(
    client: Client, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    viewer = MembershipFactory.create(organization=owned.organization, role=Role.VIEWER)
    client.force_login(viewer.user)

    page = client.get(url("connection_webhooks", owned.pk))

    assert "register and remove webhooks" in text(page)
    assert "Register</button>" not in page.content.decode()
    for name in ("register", "look", "remove"):
        assert client.post(url(f"connection_webhooks_{name}", owned.pk)).status_code == 403
    assert client.get(url("connection_webhooks_secret", owned.pk)).status_code == 403
    assert hooks_of(sandbox) == []


def test_a_connection_beneath_another_points_to_it(
    member: Client, post: Visit, url: Url, connection: Connection, sandbox: Sandbox
) -> None:
    Connection.objects.create(
        organization=connection.organization,
        connector="bitbucket_pipelines",
        name="Builds",
        parent=connection,
        identity=connection.identity,
    )
    builds = Connection.objects.get(name="Builds")

    page = member.get(url("connection_webhooks", builds.pk))
    post(url("connection_webhooks_register", builds.pk))

    assert "has no webhooks of its own" in text(page)
    assert f'href="{url("connection_webhooks", connection.pk)}"' in page.content.decode()
    assert believed(builds) == ()


def test_the_last_deliveries_stand_below(
    member: Client, post: Visit, url: Url, owned: Connection, sandbox: Sandbox
) -> None:
    post(url("connection_webhooks_register", owned.pk))
    DeliveryFactory.create(connection=owned, event="pullrequest:approved")

    page = text(member.get(url("connection_webhooks", owned.pk)))

    assert "Last deliveries" in page
    assert "Pull request approved" in page


def test_scopes_that_write_are_listed_but_not_copied(member: Client, url: Url) -> None:
    page = member.get(url("wizard_enter", "bitbucket_cloud", "api_token")).content.decode()

    copied = re.search(r"<code>(read:[^<]*)</code></pre>", page)
    assert copied
    assert "read:webhook:bitbucket" in copied[1]
    assert "write:webhook:bitbucket" not in copied[1]
    assert "<code>write:webhook:bitbucket</code>" in page
