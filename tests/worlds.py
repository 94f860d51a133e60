"""Everything that one organization can own, for tests that look over the fence."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.utils.timezone import now

from connections.connectors.base import Identity
from connections.models import (
    Connection,
    ConnectLink,
    Credential,
    Draft,
    Grant,
    Verification,
)
from connections.services.links import make_link
from ingestion.models import Delivery, PipelineRun, PullRequest, Repository, Sync
from tenants import access
from tenants.actor import Actor
from tenants.models import (
    AccessKey,
    ApiKey,
    Invitation,
    Membership,
    Organization,
    Scope,
    TenantModel,
    User,
)
from tenants.roles import Role
from tenants.services.access_keys import make_access_key
from tenants.services.api_keys import make_api_key
from tenants.services.invitations import invite
from tests.factories import (
    CommitFactory,
    ConnectionFactory,
    CoverageFactory,
    CredentialFactory,
    DeliveryFactory,
    DeploymentFactory,
    MembershipFactory,
    OrganizationFactory,
    PersonFactory,
    PipelineRunFactory,
    PullRequestFactory,
    RepositoryFactory,
    StepFactory,
    StreamRunFactory,
    SyncFactory,
)


@dataclass(frozen=True, kw_only=True)
class World:
    """One organization with a row of each kind. `mark` stands in every name of it."""

    mark: str
    organization: Organization
    owner: Membership
    viewer: Membership
    connection: Connection
    pending: Connection
    deleted: Connection
    credential: Credential
    draft: Draft
    grant: Grant
    link: ConnectLink
    rotation: Draft
    sync: Sync
    repository: Repository
    pull_request: PullRequest
    pipeline: PipelineRun
    delivery: Delivery
    invitation: Invitation
    api_key: ApiKey
    access_key: AccessKey
    key: str

    @property
    def user(self) -> User:
        return self.owner.user

    def snapshot(self) -> dict[str, Any]:
        """All that it owns, as values."""
        rows = snapshot_of(self.organization)
        memberships = Membership.objects.filter(organization=self.organization).values()
        own = Organization.objects.filter(pk=self.organization.pk).values()
        return {**rows, "memberships": list(memberships), "organization": list(own)}


def snapshot_of(organization: Organization | int, but: Collection[str] = ()) -> dict[str, Any]:
    """Every row that an organization owns, as values, without these columns."""
    pk = organization if isinstance(organization, int) else organization.pk
    rows = {
        model.__name__: [
            {name: value for name, value in row.items() if name not in but}
            for row in model._default_manager.filter(organization_id=pk).order_by("pk").values()
        ]
        for model in apps.get_models()
        if issubclass(model, TenantModel)
    }
    return _plain(rows)


def make_world(mark: str) -> World:
    """An organization that owns one of each."""
    organization = OrganizationFactory.create(name=mark, slug=mark)
    with access.enter(organization):
        return _furnish(organization, mark)


def _furnish(organization: Organization, mark: str) -> World:
    owner, viewer = (
        MembershipFactory.create(organization=organization, role=role, user__name=f"{mark} {role}")
        for role in (Role.OWNER, Role.VIEWER)
    )
    connection = ConnectionFactory.create(
        organization=organization,
        name=f"{mark} connection",
        settings={"workspace": mark},
        selection={"repositories": {"mode": "all"}, "streams": ["repositories"], "since": None},
    )
    repository = RepositoryFactory.create(
        connection=connection, name=mark, full_name=f"acme/{mark}"
    )
    sync = SyncFactory.create(connection=connection)
    StreamRunFactory.create(sync=sync)
    CoverageFactory.create(repository=repository, connection=connection)
    PersonFactory.create(connection=connection, name=f"{mark} person")
    pipeline = PipelineRunFactory.create(
        repository=repository, connection=connection, ref_name=f"{mark} branch"
    )
    StepFactory.create(run=pipeline, name=f"{mark} step")
    CommitFactory.create(repository=repository, message=f"{mark} commit")
    DeploymentFactory.create(repository=repository, environment=f"{mark} stage")
    by = Actor.for_user(owner.user)
    invitation, _ = invite(organization=organization, role=Role.ADMIN, by=by)
    api_key, key = make_api_key(
        organization=organization, name=f"{mark} key", scopes=Scope.values, role=Role.OWNER, by=by
    )
    access_key, _ = make_access_key(
        organization=organization,
        name=f"{mark} access key",
        scopes=Scope.values,
        role=Role.OWNER,
        by=by,
    )
    credential = CredentialFactory.create(connection=connection, label=f"{mark} token")
    return World(
        mark=mark,
        organization=organization,
        owner=owner,
        viewer=viewer,
        connection=connection,
        pending=ConnectionFactory.create(
            organization=organization,
            name=f"{mark} pending",
            identity="",
            status=Connection.Status.PENDING,
        ),
        deleted=ConnectionFactory.create(
            organization=organization, name=f"{mark} deleted", deleted_at=now()
        ),
        credential=credential,
        draft=_draft(organization, owner.user, mark),
        grant=_grant(organization, owner.user, mark),
        link=make_link(connection=connection, by=by, user=owner.user)[0],
        rotation=_rotation(credential, owner.user, mark),
        sync=sync,
        repository=repository,
        pull_request=PullRequestFactory.create(
            repository=repository, connection=connection, title=f"{mark} change"
        ),
        pipeline=pipeline,
        delivery=DeliveryFactory.create(
            connection=connection, repository_name=f"acme/{mark}", body=f'{{"by": "{mark}"}}'
        ),
        invitation=invitation,
        api_key=api_key,
        access_key=access_key,
        key=key,
    )


def _rotation(credential: Credential, user: User, mark: str) -> Draft:
    draft: Draft = Draft.objects.create(
        organization_id=credential.organization_id,
        connector="bitbucket_cloud",
        connection=credential.connection,
        credential=credential,
        method="access_token",
        name=f"{mark} new secret",
        secrets={"api_token": "ATCTT-not-a-real-one"},
        found={**vars(Identity()), "saw": None, "replaces": "", "expiration_date": None},
        by=user,
        expires_at=now() + timedelta(hours=1),
    )
    return draft


def _draft(organization: Organization, user: User, mark: str) -> Draft:
    draft: Draft = Draft.objects.create(
        organization=organization,
        connector="bitbucket_cloud",
        method="access_token",
        name=f"{mark} draft",
        settings={"workspace": mark},
        secrets={"api_token": "ATCTT-not-a-real-one"},
        by=user,
        expires_at=now() + timedelta(hours=1),
    )
    Verification.objects.create(
        draft=draft, outcome="ok", finished_at=now(), organization=organization
    )
    return draft


def _grant(organization: Organization, user: User, mark: str) -> Grant:
    workspace = {"id": "{1}", "slug": mark, "is_administrator": True}
    grant: Grant = Grant.objects.create(
        organization=organization,
        connector="bitbucket_cloud",
        identity_name=mark,
        reaches=[workspace],
        workspaces=[workspace],
        secrets={"access_token": "not-a-real-one", "refresh_token": "nor-this"},
        made_by=user,
    )
    return grant


def _plain(rows: dict[str, Any]) -> dict[str, Any]:
    """Sealed secrets as their ciphertext, so that they compare."""
    for values in rows.values():
        for row in values:
            for name, value in row.items():
                row[name] = getattr(value, "ciphertext", value)
    return rows
