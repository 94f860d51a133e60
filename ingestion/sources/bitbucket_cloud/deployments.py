"""Deployments: a full listing each time, since they come in no documented order.

Specification and reality differ. https://github.com/faros-ai/airbyte-connectors recorded answers
with `started_on` and `completed_on` in place of `start_date` and `completion_date`, and with an
environment that has nothing but its uuid.
"""

from collections.abc import Mapping
from functools import partial

from connections.connectors.bitbucket_cloud.client import BitbucketCloudClient
from connections.transport.errors import NotFound
from ingestion.sources.base import Page, Walk
from ingestion.sources.bitbucket_cloud import parse
from ingestion.sources.bitbucket_cloud.answers import clock_of, size_of, values_of, whole
from ingestion.sources.bitbucket_cloud.read import (
    Json,
    Unreadable,
    inside,
    label,
    moment_or_none,
    number_or_none,
    text,
)
from ingestion.sources.rows import DeploymentRow

Environments = Mapping[str, Json]  # by uuid


def walk_deployments(client: BitbucketCloudClient, repository: str) -> Walk:
    """The environments first, for their names; then every deployment."""
    read = partial(deployment, environments=environments_of(client, repository))
    as_of = expected = None
    for answer in whole(client.deployments(repository), "deployments"):
        if as_of is None:
            as_of, expected = clock_of(answer), size_of(answer)
        yield Page(rows=parse.rows(values_of(answer), read, "uuid"), as_of=as_of, expected=expected)
        expected = None


def environments_of(client: BitbucketCloudClient, repository: str) -> Environments:
    """Those that are shown; without any the deployments have no names of environments."""
    found: dict[str, Json] = {}
    try:
        for answer in whole(client.environments(repository), "environments"):
            found |= {str(value.get("uuid")): value for value in values_of(answer)}
    except NotFound:
        return {}
    return found


def deployment(value: Json, environments: Environments) -> DeploymentRow:
    """A row of …/deployments."""
    uuid = text(value.get("uuid"), 64)
    if not uuid:
        raise Unreadable("the deployment has no uuid")
    state, release = value.get("state"), value.get("release")
    commit = inside(value, "commit", "hash") or inside(release, "commit", "hash")
    environment = text(inside(value, "environment", "uuid"), 64)
    known = environments.get(environment) or value.get("environment")
    created = moment_or_none(inside(release, "created_on"))
    started = moment_or_none(inside(state, "started_on") or inside(state, "start_date"))
    completed = moment_or_none(inside(state, "completed_on") or inside(state, "completion_date"))
    changed = moment_or_none(value.get("last_update_time"))
    return DeploymentRow(
        uuid=uuid,
        number=number_or_none(value.get("number")),
        environment_uuid=environment,
        environment=label(inside(known, "name")),
        environment_type=text(inside(known, "environment_type", "name"), 60),
        state=text(inside(state, "name"), 40),
        result=text(inside(state, "status", "name"), 40),
        release=label(inside(release, "name")),
        run_uuid=text(inside(release, "pipeline", "uuid"), 64),
        step_uuid=text(inside(value, "step", "uuid"), 64),
        commit=text(commit, 40),
        version=number_or_none(value.get("version")),
        created_on=created,
        started_on=started,
        completed_on=completed,
        updated_on=changed or completed or started or created,
    )
