"""A process with boto3: `python -m tests.connections.aws.speaks <endpoint>`.

Reads a list of calls from its input, makes them, and prints what boto3 gave or raised for each.
"""

import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError


def main() -> None:
    answers: list[dict[str, Any]] = []
    clients: dict[str, Any] = {}
    for call in json.load(sys.stdin):
        how = {"service_name": "codestar-connections", "region_name": "eu-central-1"}
        how |= call.get("client", {})
        client = clients.setdefault(json.dumps(how), boto3.client(endpoint_url=sys.argv[1], **how))
        sent = _filled(call["sent"], answers)
        try:
            answers.append(_plain(getattr(client, call["operation"])(**sent)))
        except ClientError as error:
            answers.append(_told(error))
    json.dump(answers, sys.stdout)


def _filled(sent: dict[str, Any], answers: list[dict[str, Any]]) -> dict[str, Any]:
    """“$0.ConnectionArn” stands for what the first answer says."""
    return {name: _meant(value, answers) for name, value in sent.items()}


def _meant(value: Any, answers: list[dict[str, Any]]) -> Any:
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    number, _, name = value[1:].partition(".")
    return answers[int(number)][name]


def _told(error: ClientError) -> dict[str, Any]:
    told = error.response["Error"]
    return {
        "error": told["Code"],
        "message": told["Message"],
        "is": type(error).__name__,
        "tries": error.response["ResponseMetadata"]["RetryAttempts"],
    }


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


if __name__ == "__main__":
    main()
