"""Names of resources: arn:aws:codestar-connections:<region>:<organization>:connection/<id>."""

import re

from django.db.models import QuerySet

from connections.aws.errors import AwsError
from connections.models import Connection
from tenants.models import Organization

PROVIDERS = {"Bitbucket": "bitbucket_cloud"}  # AWS's names of them, and ours
_ARN = re.compile(
    r"arn:aws(?:-[a-z]+)*:(?:codestar-connections|codeconnections):(?P<region>[a-z0-9-]+):"
    r"(?P<account>[0-9]{12}):connection/"
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)


def account_of(organization: Organization) -> str:
    """The organization as an account number of 12 digits."""
    return f"{organization.pk:012d}"


def arn_of(connection: Connection, organization: Organization, region: str) -> str:
    """The connection as the client of this region names it."""
    account = account_of(organization)
    return f"arn:aws:codestar-connections:{region}:{account}:connection/{connection.public_id}"


def connection_of(arn: str, organization: Organization, region: str) -> Connection:
    """The connection of a name. One of another region or organization is not found, as at AWS.

    Raises ResourceNotFoundException.
    """
    found = _ARN.fullmatch(arn)
    row: Connection | None = None
    if found and (found["region"], found["account"]) == (region, account_of(organization)):
        rows = visible(organization)
        row = rows.filter(public_id=found["id"]).first()
    if row is None:
        raise AwsError("ResourceNotFoundException", f"Connection not found: {arn}")
    return row


def visible(organization: Organization) -> QuerySet[Connection]:
    """The connections that AWS's protocol has a provider for."""
    rows: QuerySet[Connection] = Connection.objects.for_organization(organization)
    return rows.filter(connector__in=PROVIDERS.values(), deleted_at=None)
