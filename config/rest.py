"""What the API's framework and the writer of its schema are told."""

from typing import Any

FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["tenants.authentication.KeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {"api_key": "1000/min"},
    "DEFAULT_RENDERER_CLASSES": ["config.api.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.StrictJSONParser", "config.api.ObjectFormParser"],
    "EXCEPTION_HANDLER": "config.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # `format` is an argument of methods
    "DEFAULT_SCHEMA_CLASS": "config.openapi.methods.MethodSchema",
}


def schema(public_url: str) -> dict[str, Any]:
    """The OpenAPI document's own settings."""
    return {
        "TITLE": "Tributary",
        "VERSION": "1",
        "OAS_VERSION": "3.1.0",
        "SERVERS": [{"url": public_url}],
        "COMPONENT_SPLIT_REQUEST": False,
        "ENFORCE_NON_BLANK_FIELDS": True,
        "POSTPROCESSING_HOOKS": ["config.openapi.hooks.complete"],
    }
