"""People, workspaces, memberships and projects."""

from __future__ import annotations

from tests.sandbox.people import Person
from tests.sandbox.shapes.places import Json, Places, micro
from tests.sandbox.world import Membership, Project, Workspace


def person(places: Places, who: Person | None) -> Json | None:
    """An account as it stands inside other objects; a deleted one is null."""
    if who is None:
        return None
    account: Json = {
        "type": who.kind,
        "uuid": who.uuid,
        "display_name": who.display_name,
        "links": {
            "self": places.link("users", who.uuid),
            "avatar": places.page("avatars", who.account_id, 128),
            "html": places.page(who.uuid, ""),
        },
    }
    if who.kind == "user":
        account |= {"account_id": who.account_id, "nickname": who.nickname}
    return account


def user(places: Places, who: Person) -> Json:
    """What /user answers: more fields, still no e-mail."""
    account = person(places, who) or {}
    account |= {
        "account_id": who.account_id,
        "nickname": who.nickname,
        "created_on": micro(who.created_on),
        "account_status": "active",
        "is_staff": False,
        "has_2fa_enabled": None,
        "location": None,
    }
    return account


def workspace_base(places: Places, place: Workspace) -> Json:
    """A workspace as /user/workspaces shows it: without its name."""
    return {
        "type": "workspace_base",
        "uuid": place.uuid,
        "slug": place.slug,
        "links": {
            "self": places.link("workspaces", place.slug),
            "avatar": places.page("workspaces", place.slug, "avatar", ""),
        },
    }


def workspace_access(places: Places, place: Workspace, permission: str) -> Json:
    """One row of /user/workspaces."""
    return {
        "type": "workspace_access",
        "administrator": permission == "owner",
        "workspace": workspace_base(places, place),
    }


def workspace_inside(places: Places, place: Workspace) -> Json:
    """A workspace as it stands inside a repository."""
    return {
        "type": "workspace",
        "uuid": place.uuid,
        "slug": place.slug,
        "name": place.name,
        "links": {
            "self": places.link("workspaces", place.slug),
            "html": places.page(place.slug, ""),
            "avatar": places.page("workspaces", place.slug, "avatar", ""),
        },
    }


def workspace(places: Places, place: Workspace) -> Json:
    """A workspace of its own."""
    body = workspace_inside(places, place)
    body["is_private"] = True
    body["created_on"] = micro(place.created_on)
    body["updated_on"] = micro(place.created_on)
    body["links"] |= {
        "members": places.link("workspaces", place.slug, "members"),
        "projects": places.link("workspaces", place.slug, "projects"),
        "repositories": places.link("repositories", place.slug),
    }
    return body


def membership(places: Places, place: Workspace, member: Membership, email: bool = False) -> Json:
    """A person in a workspace, without the role; the e-mail only where it was asked for."""
    who = person(places, member.person) or {}
    if email:
        who["email"] = member.person.email
    return {
        "type": "workspace_membership",
        "user": who,
        "workspace": workspace_inside(places, place),
        "links": {"self": places.link("workspaces", place.slug, "members", member.person.uuid)},
    }


def own_membership(places: Places, place: Workspace, member: Membership) -> Json:
    """What the account itself is in a workspace: here the role is told."""
    return {**membership(places, place, member), "permission": member.permission}


def project_inside(places: Places, place: Workspace, folder: Project) -> Json:
    """A project as it stands inside a repository."""
    return {
        "type": "project",
        "key": folder.key,
        "uuid": folder.uuid,
        "name": folder.name,
        "links": {
            "self": places.link("workspaces", place.slug, "projects", folder.key),
            "html": places.page(place.slug, "workspace", "projects", folder.key),
            "avatar": places.page(place.slug, "workspace", "projects", folder.key, "avatar"),
        },
    }


def project(places: Places, place: Workspace, folder: Project) -> Json:
    """A project of its own."""
    body = project_inside(places, place, folder)
    body["description"] = None
    body["is_private"] = True
    body["created_on"] = micro(folder.created_on)
    body["updated_on"] = micro(folder.created_on)
    return body
