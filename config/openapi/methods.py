"""One method of the API, described by what its view declares."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, append_meta
from rest_framework import serializers

from config.openapi import parts
from config.openapi.examples import example_of
from tenants.api import ApiView, StrictSerializer
from tenants.api.reading import COMPOSITE
from tenants.authentication import ANY
from tenants.roles import LOWEST_ROLE, Permission

Part = dict[str, Any]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ANY_METHOD = (
    "not_authed",
    "key_expired",
    "not_allowed",
    "method_not_allowed",
    "not_acceptable",
    "invalid_arguments",
    "rate_limited",
    "internal_error",
    "unavailable",
)
ANY_WRITE = (
    "invalid_json",
    "body_too_large",
    "unsupported_media_type",
    "idempotency_key_reused",
    "idempotency_in_progress",
)
IN_PATHS: dict[str, Part] = {
    "connection_id": {"type": "integer", "minimum": 1},
    "id": {"type": "integer", "minimum": 1},
    "type": {"type": "string"},
}


class MethodSchema(AutoSchema):
    """Reads `scope`, `takes`, `gives`, `refuses` and the like of an ApiView."""

    view: Any  # an ApiView

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Part | None:
        self.path, self.method, self.registry = path, method.upper(), registry
        if not isinstance(self.view, ApiView) or self.method not in {"GET", "POST"}:
            return None
        name = next(step for step in path.split("/") if "." in step)
        told = (type(self.view).__doc__ or "").strip()
        return {
            "operationId": name,
            "summary": told.splitlines()[0],
            "description": f"{told}\n\n{self._scope_told()}",
            "tags": [name.partition(".")[0]],
            "security": [{"key": [] if self._scope == ANY else [self._scope]}],
            "parameters": list(self._parameters_of_method()),
            **({"requestBody": self._body()} if self.method == "POST" else {}),
            "responses": {**self._successes(), **parts.failures(self._codes())},
        }

    @property
    def _scope(self) -> str:
        scope: Any = self.view.scope
        return str(scope[self.method] if isinstance(scope, dict) else scope)

    def _scope_told(self) -> str:
        if self._scope == ANY:
            return "Any key may call it."
        needs: Permission | None = self.view.permission
        role = f" Role: {LOWEST_ROLE[needs]} at least." if needs else ""
        return f"Scope: `{self._scope}`.{role}"

    def _codes(self) -> Iterator[str]:
        yield from ANY_METHOD
        yield from self.view.refuses
        if self._scope != ANY:
            yield "missing_scope"
        if self.method == "POST":
            yield from ANY_WRITE
        if self.view.takes_if_match:
            yield "precondition_failed"

    def _parameters_of_method(self) -> Iterator[Part]:
        for name, schema in IN_PATHS.items():
            if f"{{{name}}}" in self.path:
                shown = "bitbucket_cloud" if name == "type" else 7
                yield {
                    "in": "path",
                    "name": name,
                    "required": True,
                    "schema": schema,
                    "example": shown,
                }
        if self.method == "GET":
            yield from self._query()
        else:
            yield parts.IDEMPOTENCY_KEY
        if self.view.takes_if_match:
            yield parts.IF_MATCH
        if self.view.takes_dry_run:
            yield parts.DRY_RUN

    def _query(self) -> Iterator[Part]:
        for name, field in _fields(self.view.takes):
            shown = self.view.example.get(name)
            yield {
                "in": "query",
                "name": name,
                "required": field.required,
                "schema": _without_null(self._field_schema(field)),
                **({} if shown is None else {"example": shown}),
            }

    def _body(self) -> Part:
        component = self.resolve_serializer(self.view.takes(), "request")
        schema = component.ref if component.name else {"type": "object", "maxProperties": 0}
        required = any(field.required for _, field in _fields(self.view.takes))
        return {
            "required": required,
            "content": {
                JSON: {"schema": schema, "example": dict(self.view.example)},
                FORM: {"schema": self._form()},
            },
        }

    def _form(self) -> Part:
        """The same as a form: objects and lists are JSON text."""
        fields = list(_fields(self.view.takes))
        return {
            "type": "object",
            "properties": {name: self._form_field(field) for name, field in fields},
            "required": [name for name, field in fields if field.required],
            "additionalProperties": False,
        }

    def _form_field(self, field: Any) -> Part:
        schema = self._field_schema(field)
        if not isinstance(field, COMPOSITE):
            return _without_null(schema)
        return {"type": "string", "contentMediaType": JSON, "contentSchema": schema}

    def _field_schema(self, field: Any) -> Part:
        schema: Part = self._map_serializer_field(field, "request")
        self._insert_field_validators(field, schema)
        return schema

    def _successes(self) -> dict[str, Part]:
        found = self._success()
        if self.view.takes_dry_run and self.view.status != 200:
            return {"200": {**found, "description": "A dry run"}, str(self.view.status): found}
        return {str(self.view.status): found}

    def _success(self) -> Part:
        headers = parts.headers_of(200)
        if self.method == "POST":
            headers["Idempotency-Replayed"] = parts.REPLAYED
        if self.view.files:
            content = {kind: {"schema": {"type": "string"}} for kind in self.view.files}
            return {"description": "The file", "headers": headers, "content": content}
        gives = self.view.gives()
        schema = self.resolve_serializer(gives, "response").ref
        content = {JSON: {"schema": schema, "example": example_of(gives)}}
        return {"description": _first_line(gives), "headers": headers, "content": content}

    def _map_serializer_field(
        self, field: Any, direction: Any, bypass_extensions: bool = False
    ) -> Any:
        """A field that has a schema of its own brings it."""
        own = getattr(field, "json_schema", None)
        if own is None:
            return super()._map_serializer_field(field, direction, bypass_extensions)
        if field.allow_null and "enum" in own:
            own["enum"] = [*own["enum"], None]
        return append_meta(own, self._get_serializer_field_meta(field, direction))

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
            _vary(schema, serializer.variants())
        return schema


def _vary(schema: Part, variants: list[Part]) -> None:
    """Let each variant say of its own parts what they are."""
    for name in {name for one in variants for name in one["properties"]}:
        schema["properties"][name] = {}
    if variants:
        schema["oneOf"] = variants


def _fields(serializer: type[serializers.BaseSerializer[Any]]) -> Iterator[tuple[str, Any]]:
    yield from getattr(serializer(), "fields", {}).items()


def _first_line(serializer: Any) -> str:
    return (type(serializer).__doc__ or "").strip().splitlines()[0]


def _without_null(schema: Part) -> Part:
    """In an address and in a form everything is text: null is said by leaving out."""
    kind = schema.get("type")
    if isinstance(kind, list):
        left = [one for one in kind if one != "null"]
        return {**schema, "type": left[0] if len(left) == 1 else left}
    return schema
