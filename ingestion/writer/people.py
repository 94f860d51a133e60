"""Finds our key for each account that is met on records, and keeps accounts met first."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ingestion.models import Person
from ingestion.sources.rows import PersonRow
from ingestion.writer.store import Values, Written
from ingestion.writer.tables import PERSON, Table

Put = Callable[[Table, Sequence[Values], bool], Counter[Written]]


class People:
    """The keys of a connection's accounts. There are as many as people, not as pull requests."""

    def __init__(self, connection_id: int) -> None:
        self._connection_id = connection_id
        self._keys: dict[str, int] = {}

    def load(self) -> None:
        """Read all keys; also what a rolled back transaction made them forget."""
        found = Person.objects.filter(connection_id=self._connection_id).values_list("uuid", "pk")
        self._keys = dict(found)

    def key(self, person: PersonRow | None) -> int | None:
        """Our key of an account; None for nobody, and for one whose row was refused."""
        return self._keys.get(person.uuid) if person else None

    def meet(self, people: Iterable[PersonRow | None], put: Put) -> None:
        """Write those who are not known yet; the others stay as the list of members says."""
        unknown = {one.uuid: one for one in people if one and one.uuid not in self._keys}
        if not unknown:
            return
        put(PERSON, [person(one, is_member=False) for one in unknown.values()], False)
        found = Person.objects.filter(connection_id=self._connection_id, uuid__in=unknown)
        self._keys.update(found.values_list("uuid", "pk"))


def person(row: PersonRow, *, is_member: bool) -> Values:
    """The row of an account, in the order of its table's columns."""
    return (row.uuid, row.account_id, row.name, row.nickname, row.kind, is_member)
