"""Repositories with their main line of commits."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.sandbox.generation.builds import add_builds
from tests.sandbox.generation.commits import add_commit
from tests.sandbox.generation.draw import LANGUAGES, Draw
from tests.sandbox.generation.pull_requests import add_pull_requests
from tests.sandbox.generation.scale import Scale
from tests.sandbox.world import Repository, Workspace, World


def add_repository(
    world: World,
    workspace: Workspace,
    draw: Draw,
    scale: Scale,
    until: datetime,
    *,
    name: str,
    number: int,
) -> Repository:
    """A repository with pull requests, pipelines and deployments."""
    repository = new_repository(workspace, draw, name, number, until)
    scale = scale.of_repository(number)
    add_pull_requests(world, repository, draw, scale, until)
    add_builds(repository, draw, scale, until)
    newest = max((p.updated_on for p in repository.pull_requests.values()), default=None)
    repository.updated_on = newest or repository.updated_on
    return repository


def new_repository(
    workspace: Workspace, draw: Draw, slug: str, number: int, until: datetime
) -> Repository:
    """A repository with a first commit and nothing else."""
    created = until - timedelta(days=700 - number % 100, microseconds=draw.random.randrange(10**9))
    projects = list(workspace.projects.values())
    repository = Repository(
        uuid=draw.uuid(),
        slug=slug,
        name=slug.replace("-", " ").title(),
        workspace=workspace,
        project=projects[number % len(projects)],
        created_on=created,
        updated_on=created,
        language=LANGUAGES[number % len(LANGUAGES)],
        size=draw.random.randrange(10**4, 10**8),
    )
    workspace.repositories[slug] = repository
    first = next((member.person for member in workspace.members.values()), None)
    root = add_commit(repository, draw, first, created, "Begin", ())
    repository.branches["main"] = root.hash
    return repository
