"""Rows for tests, made by factory-boy."""

import factory
from factory.django import DjangoModelFactory

from connections.models import Connection, Credential
from tenants.models import Membership, Organization, User
from tenants.roles import Role


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person-{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password("correct horse battery staple")


class OrganizationFactory(DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")
    slug = factory.Sequence(lambda n: f"organization-{n}")


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
    name = factory.Sequence(lambda n: f"Connection {n}")
    identity = factory.Sequence(lambda n: f"{{00000000-0000-0000-0000-{n:012d}}}")
    settings = factory.LazyFunction(lambda: {"workspace": "acme"})
    status = Connection.Status.AVAILABLE


class CredentialFactory(DjangoModelFactory[Credential]):
    class Meta:
        model = Credential

    connection = factory.SubFactory(ConnectionFactory)
    method = "access_token"
    label = factory.Sequence(lambda n: f"Token {n}")
    secrets = factory.LazyFunction(lambda: {"api_token": "ATCTT-not-a-real-one"})
