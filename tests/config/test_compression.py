"""Pages are compressed, answers of the API are not."""

import gzip

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_page_is_compressed(client: Client) -> None:
    answer = client.get("/accounts/login/", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"Sign in" in gzip.decompress(answer.content)


def test_an_answer_of_the_api_is_not(client: Client) -> None:
    answer = client.get("/api/connections.list", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in answer.headers
