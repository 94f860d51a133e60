"""Rows for tests, made by factory-boy."""

from datetime import timedelta

import factory
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from connections.models import Connection, Credential, WebhookSubscription
from ingestion.models import (
    Commit,
    Coverage,
    Delivery,
    Deployment,
    Person,
    PipelineRun,
    PullRequest,
    Repository,
    State,
    Step,
    StreamRun,
    Sync,
)
from tenants.models import Membership, Organization, User
from tenants.roles import Role


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person-{n:04d}@example.com")
    name = factory.Sequence(lambda n: f"Person {n:04d}")
    password = factory.django.Password("correct horse battery staple")


class OrganizationFactory(DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n:04d}")
    slug = factory.Sequence(lambda n: f"organization-{n:04d}")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.OWNER


class ConnectionFactory(DjangoModelFactory[Connection]):
    class Meta:
        model = Connection

    organization = factory.SubFactory(OrganizationFactory)
    connector = "bitbucket_cloud"
    name = factory.Sequence(lambda n: f"Connection {n:04d}")
    identity = factory.Sequence(lambda n: f"{{00000000-0000-0000-0000-{n:012d}}}")
    settings = factory.LazyFunction(lambda: {"workspace": "acme"})
    status = Connection.Status.AVAILABLE


class CredentialFactory(DjangoModelFactory[Credential]):
    class Meta:
        model = Credential

    connection = factory.SubFactory(ConnectionFactory)
    method = "access_token"
    label = factory.Sequence(lambda n: f"Token {n:04d}")
    secrets = factory.LazyFunction(lambda: {"api_token": "ATCTT-not-a-real-one"})


class WebhookSubscriptionFactory(DjangoModelFactory[WebhookSubscription]):
    class Meta:
        model = WebhookSubscription

    connection = factory.SubFactory(ConnectionFactory)
    scope = WebhookSubscription.Scope.WORKSPACE
    subject = factory.SelfAttribute("connection.identity")
    name = "acme"
    uuid = factory.Sequence(lambda n: f"{{60000000-0000-0000-0000-{n:012d}}}")
    events = factory.LazyFunction(lambda: ["repo:push"])
    seen_at = factory.LazyFunction(now)


class RepositoryFactory(DjangoModelFactory[Repository]):
    class Meta:
        model = Repository

    connection = factory.SubFactory(ConnectionFactory)
    uuid = factory.Sequence(lambda n: f"{{10000000-0000-0000-0000-{n:012d}}}")
    name = factory.Sequence(lambda n: f"repository-{n:04d}")
    slug = factory.SelfAttribute("name")
    full_name = factory.LazyAttribute(lambda row: f"acme/{row.name}")
    updated_on = factory.LazyFunction(now)
    changed_at = factory.LazyFunction(now)


class PersonFactory(DjangoModelFactory[Person]):
    class Meta:
        model = Person

    connection = factory.SubFactory(ConnectionFactory)
    uuid = factory.Sequence(lambda n: f"{{20000000-0000-0000-0000-{n:012d}}}")
    name = factory.Sequence(lambda n: f"Committer {n:04d}")
    changed_at = factory.LazyFunction(now)


class PullRequestFactory(DjangoModelFactory[PullRequest]):
    class Meta:
        model = PullRequest

    repository = factory.SubFactory(RepositoryFactory)
    connection = factory.SelfAttribute("repository.connection")
    number = factory.Sequence(lambda n: n + 1)
    title = factory.Sequence(lambda n: f"Change {n:04d}")
    state = "OPEN"
    created_on = factory.LazyFunction(now)
    updated_on = factory.LazyFunction(now)
    changed_at = factory.LazyFunction(now)


class PipelineRunFactory(DjangoModelFactory[PipelineRun]):
    class Meta:
        model = PipelineRun

    repository = factory.SubFactory(RepositoryFactory)
    connection = factory.SelfAttribute("repository.connection")
    uuid = factory.Sequence(lambda n: f"{{30000000-0000-0000-0000-{n:012d}}}")
    number = factory.Sequence(lambda n: n + 1)
    state = "COMPLETED"
    result = "SUCCESSFUL"
    duration = 61
    created_on = factory.LazyFunction(now)
    changed_at = factory.LazyFunction(now)


class StepFactory(DjangoModelFactory[Step]):
    class Meta:
        model = Step

    run = factory.SubFactory(PipelineRunFactory)
    repository = factory.SelfAttribute("run.repository")
    connection = factory.SelfAttribute("run.connection")
    uuid = factory.Sequence(lambda n: f"{{40000000-0000-0000-0000-{n:012d}}}")
    name = factory.Sequence(lambda n: f"Step {n:04d}")
    state = "COMPLETED"
    result = "SUCCESSFUL"
    started_on = factory.LazyFunction(now)
    changed_at = factory.LazyFunction(now)


class DeploymentFactory(DjangoModelFactory[Deployment]):
    class Meta:
        model = Deployment

    repository = factory.SubFactory(RepositoryFactory)
    connection = factory.SelfAttribute("repository.connection")
    uuid = factory.Sequence(lambda n: f"{{50000000-0000-0000-0000-{n:012d}}}")
    environment = "Production"
    environment_type = "Production"
    state = "COMPLETED"
    result = "SUCCESSFUL"
    updated_on = factory.LazyFunction(now)
    changed_at = factory.LazyFunction(now)


class CommitFactory(DjangoModelFactory[Commit]):
    class Meta:
        model = Commit

    repository = factory.SubFactory(RepositoryFactory)
    connection = factory.SelfAttribute("repository.connection")
    hash = factory.Sequence(lambda n: f"{n:040x}")
    message = factory.Sequence(lambda n: f"Change {n:04d}\n\nIn detail")
    committed_on = factory.LazyFunction(now)
    changed_at = factory.LazyFunction(now)


class SyncFactory(DjangoModelFactory[Sync]):
    class Meta:
        model = Sync

    connection = factory.SubFactory(ConnectionFactory)
    trigger = Sync.Trigger.SCHEDULE
    streams = factory.LazyFunction(lambda: ["repositories", "pull_requests"])
    state = State.SUCCEEDED
    started_at = factory.LazyFunction(lambda: now() - timedelta(seconds=20))
    finished_at = factory.LazyFunction(now)


class StreamRunFactory(DjangoModelFactory[StreamRun]):
    class Meta:
        model = StreamRun

    sync = factory.SubFactory(SyncFactory)
    stream = "pull_requests"
    state = State.SUCCEEDED


class CoverageFactory(DjangoModelFactory[Coverage]):
    class Meta:
        model = Coverage

    repository = factory.SubFactory(RepositoryFactory)
    connection = factory.SelfAttribute("repository.connection")
    stream = "pull_requests"
    complete_as_of = factory.LazyFunction(now)


class DeliveryFactory(DjangoModelFactory[Delivery]):
    class Meta:
        model = Delivery

    connection = factory.SubFactory(ConnectionFactory)
    request_id = factory.Sequence(lambda n: f"60000000-0000-0000-0000-{n:012d}")
    event = "pullrequest:approved"
    body = '{"pullrequest": {"id": 1}}'
    state = Delivery.State.DONE
    outcome = Delivery.Outcome.CHANGED
