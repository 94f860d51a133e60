"""Connections by their tags, and their tags within the statement that lists them."""

from typing import Any

from django.db.models import Aggregate, CharField, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from connections.models import Connection, Tag

BETWEEN = "\x1f"  # no tag holds a control character


class Joined(Aggregate):
    """Texts of a group in one, in no order."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, chr(31))"
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "%(function)s(%(expressions)s, char(31))"
        return self.as_sql(
            compiler, connection, function="GROUP_CONCAT", template=template, **context
        )


def tagged(rows: QuerySet[Connection], tag: str) -> QuerySet[Connection]:
    """Those of these connections with a tag: “env” whatever its value, or “env=prod”."""
    return rows.filter(has_tag(tag))


def has_tag(tag: str) -> Exists:
    """Whether a connection has this tag, as a condition."""
    key, has_value, value = (part.strip() for part in tag.partition("="))
    found = Tag.objects.filter(key=key, connection=OuterRef("pk"))
    return Exists(found.filter(value=value) if has_value else found)


def with_tags(rows: QuerySet[Connection]) -> QuerySet[Connection]:
    """Add `tag_texts` to these connections, for `tags_told`."""
    texts = Tag.objects.filter(connection=OuterRef("pk")).order_by().values("connection")
    text = Concat("key", Value("="), "value", output_field=CharField())
    return rows.annotate(tag_texts=Subquery(texts.annotate(all=Joined(text)).values("all")))


def tags_told(connection: Connection) -> list[str]:
    """The tags of a connection that came through `with_tags`, as people write them: “env=prod”."""
    texts = getattr(connection, "tag_texts", None) or ""
    return sorted(text.removesuffix("=") for text in texts.split(BETWEEN) if text)
