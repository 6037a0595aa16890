"""Code words so common that they only name a family: text and status decide within it."""

from __future__ import annotations

from sparekey._classify.dialect import words
from sparekey._classify.findings import (
    Family,
)

FAMILIES = words(
    (Family.REQUEST, """
        invalid_request_error invalid_request bad_request BadRequest BadRequestError INVALID_ARGUMENT
        FAILED_PRECONDITION invalid-argument validation_error unprocessable_entity OUT_OF_RANGE
        UnprocessableEntityError InvalidRequestError invalid_parameter_error InvalidParameter
    """),
    (Family.KEY, """
        authentication_error AuthenticationError unauthorized UNAUTHENTICATED invalid_authentication
        Unauthorized auth_error unauthenticated authentication_failed
    """),
    (Family.ACCESS, """
        permission_error permission_denied PERMISSION_DENIED forbidden permission_denied_error
        access_denied PermissionDeniedError AccessDenied
    """),
    (Family.MONEY, "billing_error payment_required PaymentRequired"),
    (Family.MISSING, "not_found_error not_found NOT_FOUND NotFoundError resource_not_found_error"),
    (Family.LIMIT, """
        rate_limit_error rate_limit RESOURCE_EXHAUSTED tokens requests RateLimitError TooManyRequests
        rate_limit_reached_error too_many_requests_error ratelimit
    """),
    (Family.SIZE, "request_too_large payload_too_large request_entity_too_large"),
    (Family.SERVER, """
        server_error internal_server_error INTERNAL InternalServerError internal_error
    """),
    (Family.GATEWAY, "bad_gateway provider_unavailable"),
    (Family.BUSY, "UNAVAILABLE service_unavailable ServiceUnavailable service_unavailable_error"),
    (Family.SLOW, """
        DEADLINE_EXCEEDED ETIMEDOUT ESOCKETTIMEDOUT UND_ERR_CONNECT_TIMEOUT UND_ERR_HEADERS_TIMEOUT
        ECONNABORTED
    """),
    (Family.NETWORK, "connection_error network_error ECONNREFUSED ECONNRESET ENOTFOUND EAI_AGAIN EPIPE"),
)  # fmt: skip
