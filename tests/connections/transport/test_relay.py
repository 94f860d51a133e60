"""Jobs side by side, whose bookings the waiting thread makes."""

import threading

import pytest
from django.utils.timezone import now

from connections.transport.errors import QuotaExhausted
from connections.transport.ledger import Purpose
from connections.transport.relay import Relay
from tests.connections.ledgers import CountingLedger


class ThreadLedger(CountingLedger):
    """Remembers which thread took."""

    def take(self, subject: str, *, purpose: Purpose, whose: int = 0) -> None:
        super().take(threading.current_thread().name, purpose=purpose)


def test_permits_are_booked_in_the_thread_that_waits() -> None:
    books, ran_in = ThreadLedger(), set()
    relay = Relay(books)

    def job() -> None:
        ran_in.add(threading.current_thread().name)
        relay.take("token", purpose=Purpose.VERIFY)
        relay.learn("token", limit=5)

    relay.run([job] * 20)

    here = threading.current_thread().name
    assert {subject for subject, _ in books.taken} == {here}
    assert here not in ran_in
    assert len(books.taken) == len(books.learned) == 20


def test_a_refusal_of_the_ledger_reaches_the_job() -> None:
    relay = Relay(CountingLedger(stop=QuotaExhausted("Nothing left.", resume_at=now())))
    refused = []

    def job() -> None:
        try:
            relay.take("token", purpose=Purpose.VERIFY)
        except QuotaExhausted as error:
            refused.append(error)

    relay.run([job])

    assert len(refused) == 1


def test_an_error_of_a_job_or_of_what_it_told_comes_out_at_the_end() -> None:
    relay = Relay(CountingLedger())
    done = []

    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        relay.run([broken, lambda: done.append(1)])
    with pytest.raises(ZeroDivisionError):
        relay.run([lambda: relay.tell(broken), lambda: done.append(2)])

    assert sorted(done) == [1, 2]
