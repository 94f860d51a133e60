"""AWS's own clients, as processes: boto3 and the command line. Their requests are counted."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_started
from pytest_django.live_server_helper import LiveServer

from connections.models import Connection
from tenants.actor import Actor
from tenants.roles import Role
from tenants.services.access_keys import make_access_key
from tests.config.test_environment import ROOT
from tests.factories import MembershipFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
NEWER = {"service_name": "codeconnections"}  # which boto3 speaks in CBOR
CLOCK = str(Path(__file__).parent / "clock")


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The paths that were asked for."""
    paths: list[str] = []

    def note(environ: dict[str, Any], **_: Any) -> None:
        paths.append(environ["PATH_INFO"])

    request_started.connect(note)
    yield paths
    request_started.disconnect(note)


@pytest.fixture
def environment(live_server: LiveServer, tmp_path: Path) -> dict[str, str]:
    """What AWS's clients find around them: a key and a region, and no configuration."""
    membership = MembershipFactory.create()
    row, secret = make_access_key(
        organization=membership.organization,
        name="CI",
        scopes=["connections:read", "connections:write"],
        role=Role.ADMIN,
        by=Actor.for_user(membership.user),
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": row.key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ENDPOINT": f"{live_server.url}/aws/",
    }


def boto(calls: list[dict[str, Any]], environment: dict[str, str]) -> list[dict[str, Any]]:
    """What boto3 gives for these calls, one after the other."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.connections.aws.speaks", environment["ENDPOINT"]],
        cwd=ROOT,
        env=environment,
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def aws(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command of AWS's guide, with the endpoint."""
    line = [sys.executable, "-m", "awscli", *shlex.split(command)[1:]]
    return subprocess.run(
        [*line, "--endpoint-url", environment["ENDPOINT"]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def call(operation: str, client: dict[str, str] | None = None, **sent: Any) -> dict[str, Any]:
    return {"operation": operation, "sent": sent, "client": client or {}}


def pair(key_id: str) -> dict[str, str]:
    """A key with a secret that is none."""
    return {"aws_access_key_id": key_id, "aws_secret_access_key": "x"}


def test_boto3(environment: dict[str, str], asked: list[str]) -> None:
    tags = [{"Key": "env", "Value": "prod"}]
    more = [{"Key": "a", "Value": "1"}]
    made: dict[str, Any] = {"ProviderType": "Bitbucket", "Tags": tags}
    answers = boto(
        [
            call("create_connection", **made, ConnectionName="Old"),
            call("create_connection", NEWER, **made, ConnectionName="New"),
            call("get_connection", NEWER, ConnectionArn="$0.ConnectionArn"),
            call("list_connections", MaxResults=1),
            call("list_connections", NEWER, MaxResults=1, NextToken="$3.NextToken"),
            call(
                "tag_resource",
                NEWER,
                ResourceArn="$1.ConnectionArn",
                Tags=[{"Key": "a", "Value": "1"}],
            ),
            call("untag_resource", ResourceArn="$1.ConnectionArn", TagKeys=["env"]),
            call("list_tags_for_resource", ResourceArn="$1.ConnectionArn"),
            call("delete_connection", NEWER, ConnectionArn="$1.ConnectionArn"),
            call("get_connection", NEWER, ConnectionArn="$1.ConnectionArn"),
            call("get_connection", {"region_name": "us-west-2"}, ConnectionArn="$0.ConnectionArn"),
            call("list_hosts", NEWER),
        ],
        environment,
    )

    assert [answers[0]["Tags"], answers[1]["Tags"]] == [tags, tags]
    assert answers[2]["Connection"]["ConnectionName"] == "Old"
    names = [row["ConnectionName"] for page in answers[3:5] for row in page["Connections"]]
    assert names == ["Old", "New"]
    assert answers[7] == {"Tags": more}
    assert answers[8] == {}
    for gone in answers[9:11]:
        assert (gone["is"], gone["tries"]) == ("ResourceNotFoundException", 0)
    assert answers[11]["is"] == "UnsupportedOperationException"
    assert Connection.objects.filter(deleted_at=None).get().name == "Old"
    assert len(asked) == 12


@pytest.mark.parametrize("service", ["codestar-connections", "codeconnections"])
def test_boto3_is_told_what_is_wrong_and_asks_once(
    service: str, environment: dict[str, str], asked: list[str]
) -> None:
    client = {"service_name": service}
    wrong = [
        call(
            "list_connections",
            {**client, "aws_access_key_id": "TRIB" + "A" * 16, "aws_secret_access_key": "x"},
        ),
        call(
            "list_connections",
            {
                **client,
                "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
                "aws_secret_access_key": "x",
            },
        ),
        call("list_connections", {**client, "region_name": "mars"}),
        call("create_connection", client, ConnectionName="x", ProviderType="GitLab"),
    ]

    answers = boto(wrong, environment)
    late = boto([call("list_connections", client)], {**environment, "PYTHONPATH": CLOCK})

    assert [answer["error"] for answer in answers + late] == [
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "InvalidSignatureException",
        "UnsupportedProviderTypeException",
        "InvalidSignatureException",
    ]
    assert "valid region, not 'mars'" in answers[2]["message"]
    assert late[0]["message"].startswith("Signature expired")
    assert len(asked) == 5


def test_the_command_line(environment: dict[str, str], asked: list[str]) -> None:
    made = aws(
        "aws codestar-connections create-connection --provider-type Bitbucket"
        " --connection-name MyConnection",
        environment,
    )
    wrong = aws(
        "aws codeconnections list-connections", {**environment, "AWS_SECRET_ACCESS_KEY": "x"}
    )
    late = aws("aws codeconnections list-connections", {**environment, "PYTHONPATH": CLOCK})

    arn = json.loads(made.stdout)["ConnectionArn"]
    assert arn.startswith("arn:aws:codestar-connections:eu-central-1:")
    assert Connection.objects.get().status == Connection.Status.PENDING
    for failed, said in ((wrong, "does not match"), (late, "Signature expired")):
        assert failed.returncode in {254, 255}
        assert "An error occurred (InvalidSignatureException) when calling" in failed.stderr
        assert said in failed.stderr
    assert len(asked) == 3


def test_the_calls_of_terraform(environment: dict[str, str], asked: list[str]) -> None:
    """Those of `aws_codestarconnections_connection`: made with tags, read, changed, gone."""
    arn = {"ConnectionArn": "$0.ConnectionArn"}
    of_arn = {"ResourceArn": "$0.ConnectionArn"}
    read = [call("get_connection", **arn), call("list_tags_for_resource", **of_arn)]
    tags = [{"Key": "Name", "Value": "main"}, {"Key": "env", "Value": "dev"}]
    answers = boto(
        [
            call("create_connection", ProviderType="Bitbucket", ConnectionName="main", Tags=tags),
            *read,
            call("untag_resource", **of_arn, TagKeys=["Name"]),
            call("tag_resource", **of_arn, Tags=[{"Key": "env", "Value": "prod"}]),
            *read,
            call("create_connection", ProviderType="Bitbucket", ConnectionName="main"),
            call("delete_connection", **arn),
            call("get_connection", **arn),  # asked until it is not found
            call("list_tags_for_resource", **of_arn),
        ],
        environment,
    )

    states = [answers[at]["Connection"]["ConnectionStatus"] for at in (1, 5)]
    assert states == ["PENDING", "PENDING"]
    assert answers[2]["Tags"] == tags
    assert answers[6]["Tags"] == [{"Key": "env", "Value": "prod"}]
    assert (answers[7]["error"], answers[7]["tries"]) == ("ResourceAlreadyExistsException", 0)
    assert answers[8] == {}
    assert [answer["is"] for answer in answers[9:]] == ["ResourceNotFoundException"] * 2
    assert [answer["tries"] for answer in answers[9:]] == [0, 0]
    assert len(asked) == len(answers)
