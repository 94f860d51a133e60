"""The description of the API in OpenAPI 3.1, made of what its methods declare."""
