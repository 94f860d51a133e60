"""What AWS's clients can ask for. Each operation calls the service that pages and API call, too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core import signing
from rest_framework import serializers

from connections.aws.arns import PROVIDERS, account_of, arn_of, connection_of, visible
from connections.aws.errors import AwsError
from connections.models import Connection
from connections.services import connections, creating
from connections.services.tagging import retag_connection
from connections.services.tags import LONGEST_KEY, LONGEST_VALUE, tags_of
from tenants.actor import Actor
from tenants.models import Organization, Scope, User

LONGEST_NAME = 32
LARGEST_PAGE = 100
_SALT = "connections.aws.list"
NAMES = {ours: theirs for theirs, ours in PROVIDERS.items()}


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asks, and from which region."""

    organization: Organization
    region: str
    by: Actor
    user: User | None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation: the scope that it needs, what it takes, and whether it changes anything."""

    scope: Scope
    takes: type["Arguments"]
    run: Callable[[Asker, dict[str, Any]], dict[str, Any]]

    @property
    def writes(self) -> bool:
        return self.scope == Scope.CONNECTIONS_WRITE


class Arguments(serializers.Serializer[Any]):
    """What an operation takes. As at AWS, members that nobody knows are passed over."""


class Text(serializers.CharField):
    """Text, and nothing that would have to be turned into text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TagArguments(Arguments):
    Key = Text(max_length=LONGEST_KEY)
    Value = Text(max_length=LONGEST_VALUE, allow_blank=True)


def _tags(**options: Any) -> Any:
    return serializers.ListField(child=TagArguments(), max_length=200, **options)


class CreateArguments(Arguments):
    ProviderType = Text(max_length=40, required=False)
    HostArn = Text(max_length=256, required=False)
    ConnectionName = Text(max_length=LONGEST_NAME)
    Tags = _tags(required=False)


class ConnectionArguments(Arguments):
    ConnectionArn = Text(max_length=256)


class ListArguments(Arguments):
    ProviderTypeFilter = Text(max_length=40, required=False)
    HostArnFilter = Text(max_length=256, required=False, allow_blank=True)
    MaxResults = serializers.IntegerField(min_value=0, max_value=LARGEST_PAGE, required=False)
    NextToken = Text(max_length=1024, required=False)


class ResourceArguments(Arguments):
    ResourceArn = Text(max_length=1011)


class TagResourceArguments(ResourceArguments):
    Tags = _tags()


class UntagResourceArguments(ResourceArguments):
    TagKeys = serializers.ListField(child=Text(max_length=LONGEST_KEY), max_length=200)


def create_connection(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    """A pending connection. A member finishes it in the browser, and says which workspace."""
    if "HostArn" in sent:
        raise _no_hosts()
    if "ProviderType" not in sent:
        raise AwsError("InvalidInputException", "ProviderType or HostArn is required.")
    created = creating.create_connection(
        organization=asker.organization,
        connector=_connector(sent["ProviderType"]),
        name=sent["ConnectionName"],
        settings=None,
        tags=_by_key(sent.get("Tags", [])),
        by=asker.by,
        user=asker.user,
    )
    if created.connection is None:
        raise ValueError("Only a dry run makes no connection, and none was asked for.")
    arn = arn_of(created.connection, asker.organization, asker.region)
    return {"ConnectionArn": arn, "Tags": _listed(created.connection)}


def get_connection(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    return {"Connection": _row(_named(asker, sent["ConnectionArn"]), asker)}


def list_connections(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    rows = visible(asker.organization).order_by("id")
    if sent.get("HostArnFilter"):
        raise AwsError("ResourceNotFoundException", f"Host not found: {sent['HostArnFilter']}")
    if "ProviderTypeFilter" in sent:
        rows = rows.filter(connector=_connector(sent["ProviderTypeFilter"]))
    if "NextToken" in sent:
        rows = rows.filter(pk__gt=_after(sent["NextToken"]))
    limit = sent.get("MaxResults") or LARGEST_PAGE
    page = list(rows[: limit + 1])
    answer: dict[str, Any] = {"Connections": [_row(row, asker) for row in page[:limit]]}
    if len(page) > limit:
        answer["NextToken"] = signing.dumps(page[limit - 1].pk, salt=_SALT)
    return answer


def delete_connection(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    connection = _named(asker, sent["ConnectionArn"])
    connections.delete_connection(connection=connection, by=asker.by)
    return {}


def tag_resource(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    connection = _named(asker, sent["ResourceArn"])
    retag_connection(connection=connection, add=_by_key(sent["Tags"]), by=asker.by)
    return {}


def untag_resource(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    connection = _named(asker, sent["ResourceArn"])
    retag_connection(connection=connection, remove=sent["TagKeys"], by=asker.by)
    return {}


def list_tags(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": _listed(_named(asker, sent["ResourceArn"]))}


def no_hosts(asker: Asker, sent: dict[str, Any]) -> dict[str, Any]:
    raise _no_hosts()


READ, WRITE = Scope.CONNECTIONS_READ, Scope.CONNECTIONS_WRITE
OPERATIONS = {
    "CreateConnection": Operation(scope=WRITE, takes=CreateArguments, run=create_connection),
    "GetConnection": Operation(scope=READ, takes=ConnectionArguments, run=get_connection),
    "ListConnections": Operation(scope=READ, takes=ListArguments, run=list_connections),
    "DeleteConnection": Operation(scope=WRITE, takes=ConnectionArguments, run=delete_connection),
    "TagResource": Operation(scope=WRITE, takes=TagResourceArguments, run=tag_resource),
    "UntagResource": Operation(scope=WRITE, takes=UntagResourceArguments, run=untag_resource),
    "ListTagsForResource": Operation(scope=READ, takes=ResourceArguments, run=list_tags),
    "CreateHost": Operation(scope=WRITE, takes=Arguments, run=no_hosts),
    "GetHost": Operation(scope=READ, takes=Arguments, run=no_hosts),
    "ListHosts": Operation(scope=READ, takes=Arguments, run=no_hosts),
    "UpdateHost": Operation(scope=WRITE, takes=Arguments, run=no_hosts),
    "DeleteHost": Operation(scope=WRITE, takes=Arguments, run=no_hosts),
}


def _named(asker: Asker, arn: str) -> Connection:
    return connection_of(arn, asker.organization, asker.region)


def _connector(provider: str) -> str:
    if provider not in PROVIDERS:
        offered = ", ".join(PROVIDERS)
        message = f"The provider type {provider} is not supported here. Supported: {offered}."
        raise AwsError("UnsupportedProviderTypeException", message)
    return PROVIDERS[provider]


def _no_hosts() -> AwsError:
    return AwsError("UnsupportedOperationException", "Hosts are not supported yet.")


def _row(connection: Connection, asker: Asker) -> dict[str, Any]:
    return {
        "ConnectionName": connection.name,
        "ConnectionArn": arn_of(connection, asker.organization, asker.region),
        "ProviderType": NAMES[connection.connector],
        "OwnerAccountId": account_of(asker.organization),
        "ConnectionStatus": _status(connection),
    }


def _status(connection: Connection) -> str:
    """AWS knows no pause: a paused connection is what it was before."""
    if connection.status == Connection.Status.DISABLED:
        return "AVAILABLE" if connection.identity else "PENDING"
    return str(connection.status).upper()


def _by_key(tags: list[dict[str, str]]) -> dict[str, str]:
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise AwsError("InvalidInputException", "A tag key was named twice.")
    return found


def _listed(connection: Connection) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags_of(connection).items()]


def _after(token: str) -> int:
    try:
        return int(signing.loads(token, salt=_SALT))
    except signing.BadSignature:
        raise AwsError("InvalidInputException", "This NextToken is none of ours.") from None
