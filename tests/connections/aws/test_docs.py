"""The commands of docs/aws.md work as they stand there."""

import json
import re

import pytest

from connections.models import Connection
from tests.config.test_environment import ROOT
from tests.connections.aws.test_clients import aws
from tests.connections.aws.test_clients import environment as environment  # a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_each_command_works(environment: dict[str, str]) -> None:
    page = (ROOT / "docs" / "aws.md").read_text()
    commands = re.findall(r"^(aws .+) --endpoint-url \$ENDPOINT$", page, re.MULTILINE)
    arn, answers = "", {}

    for command in commands:
        done = aws(command.replace("$ARN", arn), environment)
        assert done.returncode == 0, done.stderr
        answers[command.split()[2]] = told = json.loads(done.stdout or "{}")
        arn = arn or told["ConnectionArn"]

    assert len(commands) == 7
    assert answers["get-connection"]["Connection"]["ConnectionStatus"] == "PENDING"
    assert len(answers["list-connections"]["Connections"]) == 1
    assert {"Key": "team", "Value": "platform"} in answers["list-tags-for-resource"]["Tags"]
    assert not Connection.objects.filter(deleted_at=None).exists()
