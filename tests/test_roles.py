"""A viewer changes nothing: every form and every writing method of the API, found by walking."""

import pytest
from django.test import Client

from tenants.models import Scope
from tenants.roles import Role
from tenants.scopes import scopes_for
from tests.factories import MembershipFactory
from tests.sandbox import Sandbox
from tests.test_isolation import METHODS, PAGES, Route
from tests.test_isolation import own as own  # a fixture
from tests.worlds import World

pytestmark = pytest.mark.django_db
FORMS = [param.values[0] for param in PAGES if param.values[1] == "post"]
WRITING = [param.values[0] for param in METHODS if param.values[1] == "post"]
OPEN_TO_ALL = {"member_leave"}  # each may go


@pytest.mark.parametrize("route", FORMS, ids=str)
def test_a_viewer_posts_nothing(route: Route, own: World, client: Client) -> None:
    viewer = MembershipFactory.create(organization=own.organization, role=Role.VIEWER)
    client.force_login(viewer.user)
    before = own.snapshot()

    answer = client.post(route.address(own.organization.slug, dict.fromkeys(route.rows, own)))

    assert answer.status_code == (404 if route.name in OPEN_TO_ALL else 403)
    assert own.snapshot() == before


@pytest.mark.parametrize("route", WRITING, ids=lambda route: route.name)
def test_a_key_of_a_viewer_writes_nothing(route: Route, own: World) -> None:
    own.api_key.role = Role.VIEWER
    own.api_key.save()
    before = own.snapshot()

    answer = Client(headers={"Authorization": f"Bearer {own.key}"}).post(
        route.address("", dict.fromkeys(route.rows, own)), {}, content_type="application/json"
    )

    assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")
    after = own.snapshot()
    assert {**before, "ApiKey": []} == {**after, "ApiKey": []}  # but for its last use


def test_every_scope_is_asked_for_by_name(own: World, sandbox: Sandbox) -> None:
    """Without its scope each method answers `missing_scope`; the scopes are those of api.md."""
    for param in METHODS:
        route, method = param.values
        scope = route.view.scope
        named = scope.get(method.upper()) if isinstance(scope, dict) else scope
        if named not in Scope.values:
            continue
        own.api_key.scopes = [other.value for other in Scope if other != named]
        own.api_key.save()
        client = Client(headers={"Authorization": f"Bearer {own.key}"})

        answer = getattr(client, method)(route.address("", dict.fromkeys(route.rows, own)))

        assert answer.json()["error"] == "missing_scope", route
        assert named in answer.json()["message"]
    assert set(scopes_for(Role.OWNER)) == set(Scope)
