"""What the database checks of records: nothing that they name may be missing, and none twice."""

from collections.abc import Iterator

import pytest
from django.db import models

from connections.models import Connection
from ingestion.models.records import Record, RepositoryRecord
from ingestion.selectors.tables import TABLES
from tenants.models import Organization

Model = type[models.Model]


def references(model: Model, *, checked: bool) -> Iterator[Model]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.db_constraint is checked:
            assert field.related_model is not None
            yield field.remote_field.model


def reached(model: Model) -> set[Model]:
    """All tables whose rows must be there, directly or behind others, for a row of this one."""
    found: set[Model] = set()
    ahead = list(references(model, checked=True))
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += references(one, checked=True)
    return found


@pytest.mark.parametrize("model", TABLES.values(), ids=TABLES.keys())
def test_all_that_a_record_names_is_there(model: Model) -> None:
    assert issubclass(model, Record)
    assert {Connection, Organization} <= reached(model)
    assert set(references(model, checked=False)) <= reached(model)


INSIDE = [model for model in TABLES.values() if issubclass(model, RepositoryRecord)]


@pytest.mark.parametrize("model", INSIDE)
def test_no_column_of_many_rows_is_indexed_twice(model: Model) -> None:
    led = [index.fields[0] for index in model._meta.indexes if not index.condition]
    led += [one.fields[0] for one in model._meta.constraints if hasattr(one, "fields")]
    single = {field.name for field in model._meta.concrete_fields if field.db_index}
    assert not single & set(led)
