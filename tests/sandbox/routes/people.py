"""/user and /workspaces: who one is, where one belongs, who else is there."""

from __future__ import annotations

import re

from tests.sandbox.answers import Answer, Refused, data, error
from tests.sandbox.paging import every, last
from tests.sandbox.routes.call import Call, Endpoint, reading
from tests.sandbox.shapes import accounts
from tests.sandbox.world import Workspace

ACCOUNT = ("account",)
WORKSPACE = ("read:workspace:bitbucket",)
USER = ("read:user:bitbucket",)


def user(call: Call) -> Answer:
    """The account behind the credential; an access token is an account of its own."""
    return call.one(accounts.user, call.person_token().person)


def emails(call: Call) -> Answer:
    """The e-mail addresses of a person."""
    address = call.person_token().person.email
    links = {"self": call.site.renderer.places.link("user", "emails", address)}
    row = {"type": "email", "email": address, "is_primary": True, "is_confirmed": True}
    rows = [{**row, "links": links}] if address else []
    return call.page(rows, lambda one: one)


def _reachable(call: Call) -> list[Workspace]:
    token = call.person_token()
    places = [w for w in call.site.world.workspaces.values() if token.reaches_workspace(w)]
    places.sort(key=lambda place: place.slug)
    return places[::-1] if last(call.pairs, "sort") == "-slug" else places


def workspaces(call: Call) -> Answer:
    """The workspaces of the account: uuid and slug, no name."""
    token = call.person_token()
    rows = [(w, token.permission_in(w) or "member") for w in _reachable(call)]
    wanted = last(call.pairs, "administrator")
    if wanted in ("true", "false"):
        rows = [row for row in rows if (row[1] == "owner") is (wanted == "true")]
    places = call.site.renderer.places
    return call.page(rows, lambda row: accounts.workspace_access(places, *row))


def permission(call: Call) -> Answer:
    """The account's own membership in a workspace."""
    workspace, token = call.site.world.workspace(call.names[0]), call.person_token()
    if workspace is None or not token.reaches_workspace(workspace):
        raise Refused(error(403, "Forbidden"))
    member = workspace.members.get(token.person.uuid)
    if member is None:
        raise Refused(error(403, "Forbidden"))
    return call.one(accounts.own_membership, workspace, member)


def workspace(call: Call) -> Answer:
    """A workspace with its name."""
    return call.one(accounts.workspace, call.workspace())


def members(call: Call) -> Answer:
    """Who belongs to a workspace; e-mails only with that one q and that one field."""
    place = call.workspace()
    rows = list(place.members.values())
    query = last(call.pairs, "q") or ""
    wanted = re.findall(r'"([^"]*)"', query) if "user.email" in query else []
    if len(wanted) > 90:
        raise Refused(error(400, "Too many e-mail addresses"))
    if wanted:
        rows = [row for row in rows if row.person.email in wanted]
        asked = any("values.user.email" in one for one in every(call.pairs, "fields"))
        places = call.site.renderer.places
        return call.page(rows, lambda row: accounts.membership(places, place, row, asked))
    return call.page(rows, call.render(accounts.membership, place))


PROJECT_FIELDS = {
    "key": lambda project: project.key,
    "name": lambda project: project.name,
    "created_on": lambda project: project.created_on,
    "updated_on": lambda project: project.created_on,
}


def projects(call: Call) -> Answer:
    """The projects of a workspace."""
    place = call.workspace()
    rows = call.site.listings.select(
        ("projects", id(place)),
        place.projects.values,
        PROJECT_FIELDS,
        last(call.pairs, "q") or "",
        last(call.pairs, "sort") or "key",
    )
    return call.page(rows, call.render(accounts.project, place))


def one_member(call: Call) -> Answer:
    """One member by uuid or account id."""
    place = call.workspace()
    name = call.names[1]
    for member in place.members.values():
        if name in (member.person.uuid, member.person.account_id):
            return call.one(accounts.membership, place, member)
    return data({"type": "error", "error": {"message": f"No member {name}"}}, 404)


ENDPOINTS = (
    Endpoint("/user", user, ACCOUNT, USER),
    Endpoint("/user/emails", emails, ("email",), USER),
    Endpoint("/user/workspaces", workspaces, ACCOUNT, WORKSPACE),
    Endpoint("/user/workspaces/{workspace}/permission", permission, ACCOUNT, WORKSPACE),
    Endpoint("/workspaces/{workspace}", workspace, (), WORKSPACE),
    Endpoint("/workspaces/{workspace}/members", members, ACCOUNT, WORKSPACE),
    Endpoint("/workspaces/{workspace}/members/{member}", one_member, ACCOUNT, WORKSPACE),
    Endpoint("/workspaces/{workspace}/projects", projects, **reading("project")),
)
