"""Errors as AWS's clients know them. None of these statuses makes a client try again and again."""

from rest_framework.exceptions import APIException

STATUS = {
    "AccessDeniedException": 403,
    "ConflictException": 400,
    "IncompleteSignatureException": 403,
    "InternalServerException": 500,
    "InvalidInputException": 400,
    "InvalidSignatureException": 403,
    "LimitExceededException": 400,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLargeException": 413,
    "ResourceAlreadyExistsException": 400,
    "ResourceNotFoundException": 400,
    "SerializationException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
    "UnsupportedOperationException": 400,
    "UnsupportedProviderTypeException": 400,
}
# What our own services refuse, and what AWS calls it.
OF_CODES = {
    "connection_in_use": "ConflictException",
    "connection_not_found": "ResourceNotFoundException",
    "invalid_arguments": "InvalidInputException",
    "missing_scope": "AccessDeniedException",
    "name_taken": "ResourceAlreadyExistsException",
    "not_allowed": "AccessDeniedException",
    "precondition_failed": "ConflictException",
    "rate_limited": "ThrottlingException",
}


class AwsError(APIException):
    """An error by the name that the protocol has for it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message, name)
        self.name = name
        self.message = message
        self.status_code = STATUS[name]
