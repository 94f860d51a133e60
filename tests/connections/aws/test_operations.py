"""What AWS's clients can do, and how what does not fit is told."""

from typing import Any
from uuid import uuid4

import cbor2
import pytest

from connections.aws.wire import CBOR
from connections.models import Connection, Tag
from tenants.models import AuditEvent, Organization
from tests.connections.aws.conftest import REGION, Signer
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db
NEW = {"ProviderType": "Bitbucket", "ConnectionName": "Main"}
TAGS = [{"Key": "env", "Value": "prod"}, {"Key": "team", "Value": ""}]


def create(aws: Signer, name: str = "Main", **more: Any) -> str:
    answer = aws("CreateConnection", {**NEW, "ConnectionName": name, **more})
    assert answer.status == 200, answer.body
    return str(answer.body["ConnectionArn"])


def test_a_connection_is_made_read_and_deleted(aws: Signer, organization: Organization) -> None:
    answer = aws("CreateConnection", {**NEW, "Tags": TAGS})

    row = Connection.objects.get()
    arn = answer.body["ConnectionArn"]
    account = f"{organization.pk:012d}"
    assert arn == f"arn:aws:codestar-connections:{REGION}:{account}:connection/{row.public_id}"
    assert answer.body["Tags"] == TAGS
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert row.status == Connection.Status.PENDING
    assert row.created_by_name == "access key terraform"
    assert aws("GetConnection", {"ConnectionArn": arn}).body == {
        "Connection": {
            "ConnectionName": "Main",
            "ConnectionArn": arn,
            "ProviderType": "Bitbucket",
            "OwnerAccountId": account,
            "ConnectionStatus": "PENDING",
        }
    }
    assert aws("DeleteConnection", {"ConnectionArn": arn}).body == {}
    gone = aws("GetConnection", {"ConnectionArn": arn})
    assert (gone.status, gone.error) == (400, "ResourceNotFoundException")
    events = AuditEvent.objects.filter(actor_type="access_key")
    assert {event.event_type for event in events} == {"connections.created", "connections.deleted"}
    assert all(event.actor_name == "terraform" and event.request_id for event in events)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"status": "available"}, "AVAILABLE"),
        ({"status": "error"}, "ERROR"),
        ({"status": "disabled"}, "AVAILABLE"),
        ({"status": "disabled", "identity": ""}, "PENDING"),
        ({"status": "pending", "identity": ""}, "PENDING"),
    ],
)
def test_states(
    aws: Signer, organization: Organization, values: dict[str, str], expected: str
) -> None:
    ConnectionFactory.create(organization=organization, **values)

    (row,) = aws("ListConnections").body["Connections"]

    assert row["ConnectionStatus"] == expected


def test_lists_page_and_filter(aws: Signer) -> None:
    made = [create(aws, name) for name in ("A", "B", "C")]

    first = aws("ListConnections", {"MaxResults": 2, "ProviderTypeFilter": "Bitbucket"}).body
    second = aws("ListConnections", {"MaxResults": 2, "NextToken": first["NextToken"]}).body

    listed = [row["ConnectionArn"] for row in first["Connections"] + second["Connections"]]
    assert listed == made
    assert "NextToken" not in second
    github = aws("ListConnections", {"ProviderTypeFilter": "GitHub"})
    assert github.error == "UnsupportedProviderTypeException"
    host = aws("ListConnections", {"HostArnFilter": "arn:aws:x"})
    assert host.error == "ResourceNotFoundException"


def test_tags_are_hung_on_and_taken_off(aws: Signer) -> None:
    arn = create(aws, Tags=TAGS)

    more = [{"Key": "env", "Value": "dev"}, {"Key": "Cost center", "Value": "7"}]
    tagged = aws("TagResource", {"ResourceArn": arn, "Tags": more})
    untagged = aws("UntagResource", {"ResourceArn": arn, "TagKeys": ["team", "none"]})

    assert (tagged.body, untagged.body) == ({}, {})
    listed = aws("ListTagsForResource", {"ResourceArn": arn}).body["Tags"]
    assert listed == [{"Key": "Cost center", "Value": "7"}, {"Key": "env", "Value": "dev"}]
    latest = AuditEvent.objects.filter(event_type="connections.updated")[0]
    assert latest.changes["tags"][1] == {"Cost center": "7", "env": "dev"}


@pytest.mark.parametrize(
    ("operation", "sent", "error"),
    [
        ("CreateConnection", {}, "InvalidInputException"),
        ("CreateConnection", {"ConnectionName": "x"}, "InvalidInputException"),
        ("CreateConnection", {**NEW, "ConnectionName": ""}, "InvalidInputException"),
        ("CreateConnection", {**NEW, "ConnectionName": "x" * 33}, "InvalidInputException"),
        ("CreateConnection", {**NEW, "ConnectionName": 7}, "InvalidInputException"),
        ("CreateConnection", {**NEW, "ConnectionName": "a\u202eb"}, "InvalidInputException"),
        ("CreateConnection", {**NEW, "ConnectionName": "a\0b"}, "SerializationException"),
        ("CreateConnection", {**NEW, "ProviderType": "GitHub"}, "UnsupportedProviderTypeException"),
        ("CreateConnection", {**NEW, "HostArn": "arn:x"}, "UnsupportedOperationException"),
        ("CreateConnection", {**NEW, "Tags": "x"}, "InvalidInputException"),
        ("CreateConnection", {**NEW, "Tags": [TAGS[0]] * 2}, "InvalidInputException"),
        (
            "CreateConnection",
            {**NEW, "Tags": [{"Key": "aws:x", "Value": ""}]},
            "InvalidInputException",
        ),
        (
            "CreateConnection",
            {**NEW, "Tags": [{"Key": str(n), "Value": ""} for n in range(51)]},
            "LimitExceededException",
        ),
        ("GetConnection", {"ConnectionArn": "arn"}, "ResourceNotFoundException"),
        ("ListConnections", {"MaxResults": 101}, "InvalidInputException"),
        ("ListConnections", {"NextToken": "x"}, "InvalidInputException"),
        ("CreateHost", {"Name": "x"}, "UnsupportedOperationException"),
        ("ListHosts", {}, "UnsupportedOperationException"),
        ("ListRepositoryLinks", {}, "UnknownOperationException"),
        ("GetConnection", [1], "SerializationException"),
    ],
)
def test_what_does_not_fit(aws: Signer, operation: str, sent: Any, error: str) -> None:
    answer = aws(operation, sent)

    assert answer.error == error
    assert 400 <= answer.status < 500
    assert answer.body["message"]
    assert not Connection.objects.exists()
    assert not Tag.objects.exists()


def test_names_are_unique(aws: Signer) -> None:
    create(aws)

    again = aws("CreateConnection", NEW, region="us-east-1")  # else it might be a replay

    assert (again.status, again.error) == (400, "ResourceAlreadyExistsException")
    assert "Main" in again.body["message"]


def test_what_is_elsewhere_is_not_found(aws: Signer, organization: Organization) -> None:
    foreign = ConnectionFactory.create()
    arn = create(aws)
    account, others = f"{organization.pk:012d}", f"{foreign.organization_id:012d}"
    named = [
        arn.replace(REGION, "us-west-2"),
        arn.replace(str(Connection.objects.get(name="Main").public_id), str(uuid4())),
        arn.replace(str(Connection.objects.get(name="Main").public_id), str(foreign.public_id)),
        arn.replace(account, others),
        arn.replace(":connection/", ":host/"),
    ]
    named.append(named[2].replace(account, others))

    for one in named:
        for operation, name in (
            ("GetConnection", "ConnectionArn"),
            ("DeleteConnection", "ConnectionArn"),
            ("ListTagsForResource", "ResourceArn"),
        ):
            answer = aws(operation, {name: one})
            assert (answer.status, answer.error) == (400, "ResourceNotFoundException"), one

    assert aws("GetConnection", {"ConnectionArn": arn}).status == 200
    assert [row["ConnectionName"] for row in aws("ListConnections").body["Connections"]] == ["Main"]
    newer = arn.replace("codestar-connections", "codeconnections")
    assert aws("GetConnection", {"ConnectionArn": newer}).status == 200


def test_what_is_no_call(aws: Signer) -> None:
    headers = aws.headers("ListConnections", b"{}")

    assert aws.client.get("/aws/").status_code == 404
    unnamed = {**headers, "X-Amz-Target": ""}
    assert aws.send(b"{}", unnamed).error == "UnknownOperationException"
    assert aws.send(b"{}", {**headers, "X-Amz-Target": "Dynamo.List"}).status == 404
    large = b'{"x": "' + b"x" * 1_048_576 + b'"}'
    answer = aws.send(large, aws.headers("ListConnections", large))
    assert (answer.status, answer.error) == (413, "RequestEntityTooLargeException")
    broken = b'{"ConnectionArn": '
    answer = aws.send(broken, aws.headers("GetConnection", broken))
    assert (answer.status, answer.error) == (400, "SerializationException")


@pytest.mark.parametrize("is_endless", [False, True])
def test_body_that_names_one_value_many_times_is_refused(is_endless: bool) -> None:
    value: list[Any] = []
    within = value
    for _ in range(40):
        value = [value, value]
    if is_endless:
        within.append(value)

    with pytest.raises(ValueError, match="too large"):
        CBOR.load(cbor2.dumps(value, value_sharing=True))
