"""What is done to the description as a whole."""

from typing import Any

from config.openapi import conventions, parts


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what methods refer to."""
    result["info"]["description"] = conventions.TEXT
    components = result["components"]
    components["schemas"] = {**components.get("schemas", {}), "Error": parts.ERROR}
    components["headers"] = parts.HEADERS
    components["examples"] = parts.EXAMPLES
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: “Authorization: Bearer <key>”. It is made on the page API "
            "keys, belongs to one organization, and can do its scopes, within its role and what "
            "its maker may do now.",
        }
    }
    return result
