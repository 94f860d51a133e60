"""Rows that are created together take one statement, whatever the database."""

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from tenants.models import Organization


@pytest.mark.django_db
def test_many_rows_are_created_by_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    rows = [Organization(name=f"{n}", slug=f"many-{n}") for n in range(2_000)]
    assert len(rows) * len(Organization._meta.fields) > 999
    with django_assert_num_queries(1, connection=connection):
        Organization.objects.bulk_create(rows)
