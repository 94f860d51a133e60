"""The embedded broker: messages as files."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue
from kombu.simple import SimpleQueue

import config.broker

QUEUE = Queue("default", Exchange("default"), routing_key="default")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    assert config.broker.ALIAS == "files"
    with Connection("files://embedded", transport_options={"folder": tmp_path}) as made:
        yield made


@pytest.fixture
def queue(connection: Connection) -> Iterator[SimpleQueue]:
    with connection.SimpleQueue(QUEUE, no_ack=True) as made:
        yield made


def test_messages_come_back_in_the_order_in_which_they_were_sent(queue: SimpleQueue) -> None:
    for number in range(20):
        queue.put({"number": number})

    received = [queue.get(timeout=1).payload["number"] for _ in range(20)]

    assert received == list(range(20))


def test_an_empty_queue_says_so(queue: SimpleQueue) -> None:
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_a_half_written_message_is_not_seen(queue: SimpleQueue, tmp_path: Path) -> None:
    (tmp_path / "default" / "00000000000000000001-half.part").write_text('{"body": "e')

    with pytest.raises(queue.Empty):
        queue.get(block=False)


@pytest.mark.parametrize("content", [b"", b'{"body"', b"[]", b'{"body": 1}', b"\xff\xfe", b"null"])
def test_an_unreadable_message_is_set_aside_and_stops_nobody(
    queue: SimpleQueue, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "default" / "00000000000000000001-broken.msg").write_bytes(content)
    queue.put({"number": 1})

    received = queue.get(timeout=1)

    assert received.payload == {"number": 1}
    assert [path.suffix for path in (tmp_path / "default").iterdir()] == [".unreadable"]


def test_each_message_reaches_one_of_several_readers(tmp_path: Path) -> None:
    def read() -> list[int]:
        mine = []
        with (
            Connection("files://", transport_options={"folder": tmp_path}) as connection,
            connection.SimpleQueue(QUEUE, no_ack=True) as queue,
        ):
            while True:
                try:
                    mine.append(queue.get(block=False).payload["number"])
                except queue.Empty:
                    return mine

    with (
        Connection("files://", transport_options={"folder": tmp_path}) as connection,
        connection.SimpleQueue(QUEUE) as queue,
    ):
        for number in range(300):
            queue.put({"number": number})
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        received = [number for reader in readers for number in reader.result()]

    assert sorted(received) == list(range(300))


def test_only_the_owner_may_read_the_messages(queue: SimpleQueue, tmp_path: Path) -> None:
    assert (tmp_path / "default").stat().st_mode & 0o777 == 0o700


def test_old_litter_is_swept_when_a_queue_is_declared(
    connection: Connection, tmp_path: Path
) -> None:
    folder = tmp_path / "default"
    folder.mkdir()
    old, new = folder / "1-old.part", folder / "2-new.part"
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (0, 0))

    QUEUE(connection.default_channel).declare()

    assert [path.name for path in folder.iterdir()] == ["2-new.part"]
