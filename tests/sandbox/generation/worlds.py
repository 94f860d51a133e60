"""The workspaces: acme at the asked scale, globex with the odd repositories, empty, small ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.sandbox.generation.draw import REPOSITORY_NAMES, Draw
from tests.sandbox.generation.people import add_personas, crowd
from tests.sandbox.generation.repositories import add_repository, new_repository
from tests.sandbox.generation.scale import Scale
from tests.sandbox.people import Person
from tests.sandbox.world import Membership, Project, Workspace, World


def generate(*, seed: int, scale: Scale, until: datetime) -> World:
    """A whole world whose newest record is younger than `until`."""
    draw = Draw(f"tributary-{seed}")
    world = World()
    add_personas(world, draw, until)
    ada, ben = world.persona("ada"), world.persona("ben")
    crew = crowd(world, draw, max(0, scale.people - 2), until)
    acme = add_workspace(world, draw, "acme", "Acme Corporation", until)
    _staff(acme, owners=[ada], members=[ben, *crew])
    fill(world, acme, draw, scale, until)
    _add_neighbours(world, draw, scale, until)
    return world


def _add_neighbours(world: World, draw: Draw, scale: Scale, until: datetime) -> None:
    ada, ben, small = world.persona("ada"), world.persona("ben"), scale.small()
    globex = add_workspace(world, draw, "globex", "Globex GmbH", until)
    _staff(globex, owners=[ben], members=[ada, *crowd(world, draw, small.people, until)])
    fill(world, globex, draw, small, until)
    _add_odd_repositories(globex, draw, until)
    empty = add_workspace(world, draw, "empty", "Nothing here yet", until)
    _staff(empty, owners=[ada], members=[])
    for number in range(4, scale.workspaces + 1):
        place = add_workspace(world, draw, f"team-{number:04d}", f"Team {number}", until)
        _staff(place, owners=[ada], members=[ben])
        fill(world, place, draw, Scale(1, 1, 1, pipelines=0, deployments=0), until)


def add_workspace(world: World, draw: Draw, slug: str, name: str, until: datetime) -> Workspace:
    """A workspace with two projects and nothing in them."""
    created = until - timedelta(days=800)
    workspace = Workspace(uuid=draw.uuid(), slug=slug, name=name, created_on=created)
    for key, title in (("CORE", "Core"), ("OPS", "Operations")):
        workspace.projects[key] = Project(draw.uuid(), key, title, created)
    world.workspaces[slug] = workspace
    return workspace


def fill(world: World, workspace: Workspace, draw: Draw, scale: Scale, until: datetime) -> None:
    """As many repositories as the scale says, each with its records."""
    for number in range(scale.repositories):
        add_repository(world, workspace, draw, scale, until, name=_name(number), number=number)


def _name(number: int) -> str:
    plain = REPOSITORY_NAMES[number % len(REPOSITORY_NAMES)]
    round_number = number // len(REPOSITORY_NAMES)
    return f"{plain}-{round_number + 1}" if round_number else plain


def _staff(workspace: Workspace, owners: list[Person], members: list[Person]) -> None:
    for person in members:
        workspace.members[person.uuid] = Membership(person, "member")
    for person in owners:
        workspace.members[person.uuid] = Membership(person, "owner")


def _add_odd_repositories(workspace: Workspace, draw: Draw, until: datetime) -> None:
    attic = new_repository(workspace, draw, "attic", 98, until)
    attic.mainbranch = None
    attic.commits.clear()
    attic.branches.clear()
    fork = new_repository(workspace, draw, "api-fork", 99, until)
    fork.parent = next(iter(workspace.repositories.values()), None)
