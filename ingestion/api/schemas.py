"""What the methods take."""

from typing import Any

from rest_framework import serializers

from connections.connectors import connectors
from ingestion.models import COMPARISON, Delivery, State, Sync
from ingestion.selectors.exports import WRITERS
from ingestion.selectors.tables import TABLES
from tenants.api import (
    Choice,
    Day,
    Flag,
    IdField,
    Instant,
    PageSerializer,
    StrictSerializer,
    Text,
    WholeNumber,
)
from tenants.api.shapes import Schema

MOST_IDS = 1000


class Word(Text):
    """The name of something."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, **options)


def stream_keys() -> list[str]:
    """The streams of all connectors; a connection has some of them."""
    return list(dict.fromkeys(one.key for kind in connectors().values() for one in kind.streams))


class StreamName(Word):
    """The key of a stream of any connector; the connection says which of them it copies."""

    @property
    def json_schema(self) -> Schema:
        return {"type": "string", "enum": stream_keys()}


class ReadOrCompared(StreamName):
    """The same, or the comparison with the provider's counts."""

    @property
    def json_schema(self) -> Schema:
        streams = super().json_schema
        return {**streams, "enum": [*streams["enum"], COMPARISON]}


class StartSync(StrictSerializer):
    """syncs.start"""

    mode = Choice(Sync.Mode.values, default=Sync.Mode.INCREMENTAL)
    streams = serializers.ListField(
        child=ReadOrCompared(),
        required=False,
        allow_empty=False,
        max_length=50,
        allow_null=True,
        help_text="`comparison` compares what is here with Bitbucket's counts; alone, it copies"
        " nothing. The counts stand in coverage.list.",
    )


class StreamNames(serializers.CharField):
    """Several keys of streams in an address, with commas between."""

    @property
    def json_schema(self) -> Schema:
        one = f"({'|'.join(stream_keys())})"
        return {"type": "string", "pattern": f"^{one}( *, *{one})*$", "maxLength": self.max_length}

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        return [word.strip() for word in found.split(",") if word.strip()]


class EstimateSync(StrictSerializer):
    """connections.estimate"""

    streams = StreamNames(max_length=500, required=False)
    since = Day(required=False, allow_null=True)
    credentials = WholeNumber(min_value=1, max_value=100, required=False)


class OneSync(StrictSerializer):
    """syncs.cancel, syncs.retry"""

    id = IdField()


class ListSyncs(PageSerializer):
    """syncs.list"""

    state = Choice(State.values, required=False)


class ListDeliveries(PageSerializer):
    """deliveries.list"""

    state = Choice(Delivery.State.values, required=False)
    event = Word(required=False)
    since = Instant(required=False)


class OneDelivery(StrictSerializer):
    """deliveries.replay"""

    id = IdField()


class ListCoverage(PageSerializer):
    """coverage.list"""

    stream = StreamName(required=False)

    def validate_stream(self, stream: str) -> str:
        """Any connector's: what a connection does not copy now it may have read before."""
        if stream not in stream_keys():
            raise serializers.ValidationError(f"One of {', '.join(stream_keys())}.")
        return stream


class ListRepositories(PageSerializer):
    """repositories.list"""

    q = serializers.CharField(max_length=200, required=False)
    selected = Flag(required=False, allow_null=True, default=None)


class SelectRepositories(StrictSerializer):
    """repositories.select"""

    ids = serializers.ListField(child=IdField(), allow_empty=False, max_length=MOST_IDS)
    selected = Flag()


class ListRecords(PageSerializer):
    """records.list"""

    table = Choice(sorted(TABLES))
    changed_since = Instant(required=False)


class ExportRecords(StrictSerializer):
    """records.export"""

    table = Choice(sorted(TABLES))
    format = Choice(WRITERS)
    changed_since = Instant(required=False)
