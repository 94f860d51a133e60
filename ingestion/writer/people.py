"""Finds our key for each account that is met on records, and keeps accounts met first."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from django.db.models import QuerySet

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
        self._names: dict[str, str] = {}

    def load(self) -> None:
        """Read all keys; also what a rolled back transaction made them forget."""
        self._keys, self._names = {}, {}
        self._know(Person.objects.filter(connection_id=self._connection_id))

    def key(self, person: PersonRow | None) -> int | None:
        """Our key of an account; None for nobody, and for one whose row was refused."""
        return self._keys.get(person.uuid) if person else None

    def meet(self, people: Iterable[PersonRow | None], put: Put) -> None:
        """Write those who are not known yet, and who changed their name; members stay as their list
        says.
        """
        told = {one.uuid: one for one in people if one}
        new = [one for one in told.values() if self._is_news(one)]
        if not new:
            return
        put(PERSON, [person(one, is_member=False) for one in new], True)
        uuids = [one.uuid for one in new]
        self._know(Person.objects.filter(connection_id=self._connection_id, uuid__in=uuids))
        self._names.update((one.uuid, one.name) for one in new)  # a member's, which is not written

    def _is_news(self, one: PersonRow) -> bool:
        known = self._names.get(one.uuid)
        return known is None or one.name not in ("", known)

    def _know(self, people: "QuerySet[Person]") -> None:
        for uuid, key, name in people.values_list("uuid", "pk", "name"):
            self._keys[uuid], self._names[uuid] = key, name


def person(row: PersonRow, *, is_member: bool) -> Values:
    """The row of an account, in the order of its table's columns."""
    return (row.uuid, row.account_id, row.name, row.nickname, row.kind, is_member)
