"""Statements that are written with the ORM and compiled once in a process: only values change.

Django builds and compiles a query anew for each use, which costs several times what SQLite or
PostgreSQL need to answer it. What each request asks is prepared here instead:

    _BY_PREFIX = Prepared(lambda: ApiKey.objects.filter(prefix=Given("prefix", ApiKey, "prefix")))
    found = _BY_PREFIX.rows(prefix="Ab3dE6gH")
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, cast

from django.db import connections
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import ModelIterable, get_related_populators

Build = Callable[..., "QuerySet[Any, Any]"]


class Given(Expression):
    """Stands in a prepared statement for a value that comes with each use, as of this column."""

    def __init__(self, name: str, model: type[Model], column: str) -> None:
        field: Any = model._meta.get_field(column)
        super().__init__(output_field=getattr(field, "target_field", field))
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", (self,)

    def bind(self, values: dict[str, Any], connection: Any) -> Any:
        """The value in the form that the database takes."""
        field: Field[Any, Any] = self.output_field
        return field.get_db_prep_value(values[self.name], connection)


class Prepared:
    """A statement of the shape that `build` gives it, compiled when it is first used."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._compiled: dict[Hashable, _Compiled] = {}

    def rows(self, *shape: Hashable, **values: Any) -> list[Any]:
        """What the query gives for these values. `shape` is what `build` is called with."""
        compiled = self._compiled.get(shape)
        if compiled is None:
            compiled = self._compiled[shape] = _Compiled(self._build(*shape))
        return list(compiled.run(values))


class _Compiled:
    """A query with its SQL, and with what makes objects or values of the rows that it brings.

    What Django decides for each use of a query (`ModelIterable`, `ValuesListIterable`) is decided
    here once, from the same parts of its compiler.
    """

    def __init__(self, queryset: "QuerySet[Any, Any]") -> None:
        self._database = queryset.db
        self._compiler: Any = queryset.query.get_compiler(using=self._database)
        self._sql, self._parameters = self._compiler.as_sql()
        columns = self._compiler.select[: self._compiler.col_count]
        self._converters = self._compiler.get_converters([column for column, *_ in columns])
        of_objects = issubclass(cast(Any, queryset)._iterable_class, ModelIterable)
        self._object = _object_of(self._compiler, self._database) if of_objects else tuple

    def run(self, values: dict[str, Any]) -> Iterator[Any]:
        connection = connections[self._database]  # each thread has its own
        bound = tuple(
            one.bind(values, connection) if isinstance(one, Given) else one
            for one in self._parameters
        )
        with connection.cursor() as cursor:
            cursor.execute(self._sql, bound)
            rows = cursor.fetchall()
        if self._converters:
            rows = self._compiler.apply_converters(rows, self._converters)
        return map(self._object, rows)


def _object_of(compiler: Any, database: str) -> Callable[[Sequence[Any]], Any]:
    """What makes of a row an object with what was selected with it."""
    told = compiler.klass_info
    select, annotations = compiler.select, compiler.annotation_col_map or {}
    columns = slice(told["select_fields"][0], told["select_fields"][-1] + 1)
    names = [column[0].target.attname for column in select[columns]]
    populators: Any = get_related_populators
    related = populators(told, select, database)
    from_db = told["model"].from_db

    def made(row: Sequence[Any]) -> Any:
        found = from_db(database, names, row[columns])
        for one in related:
            one.populate(row, found)
        for name, place in annotations.items():
            setattr(found, name, row[place])
        return found

    return made
