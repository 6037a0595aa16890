"""What exception classes mean, by name and package. Sources: the packages' exception modules.

Common words (``Timeout``, ``ConnectionError``) count only in packages known to speak HTTP; a database's
``ConnectionError`` is not ours. See :mod:`.typed` for how a class is looked up.
"""

from __future__ import annotations

import errno

from sparekey._classify.findings import (
    BAD_KEY,
    BROKEN,
    BUSY,
    CROWDED,
    MALFORMED,
    NO_ACCESS,
    REFUSED,
    SLOW,
    TOO_LONG,
    UNFIT,
    UNPAID,
    UNREACHABLE,
    Family,
    Finding,
)
from sparekey._classify.objects import listed

Says = Finding | Family

# Names that no other package uses for anything else: those of every SDK that Stainless generates (openai,
# anthropic, groq, cerebras …), of langchain-core, of Vertex AI.
ANYWHERE: dict[str, Says] = {
    "APITimeoutError": SLOW,
    "APIConnectionError": Family.NETWORK,
    "APIResponseValidationError": BROKEN,
    "AuthenticationError": Family.KEY,
    "PermissionDeniedError": Family.ACCESS,
    "RateLimitError": Family.LIMIT,
    "InternalServerError": Family.SERVER,
    "ServiceUnavailableError": Family.BUSY,
    "UnprocessableEntityError": Family.REQUEST,
    "BadRequestError": Family.REQUEST,
    "InvalidRequestError": Family.REQUEST,
    "PaymentRequiredError": Family.MONEY,
    "OverloadedError": BUSY,
    "DeadlineExceededError": SLOW,
    "RequestTooLargeError": Family.SIZE,
    "ContextOverflowError": TOO_LONG,
    "ContextWindowExceededError": TOO_LONG,
    "ContentPolicyViolationError": REFUSED,
    "ContentFilterFinishReasonError": REFUSED,
    "LengthFinishReasonError": UNFIT,
    "BudgetExceededError": UNPAID,
    "ModelAuthenticationError": Family.KEY,
    "ModelPermissionDeniedError": Family.ACCESS,
    "ModelInvalidRequestError": Family.REQUEST,
    "ModelNotFoundError": Family.MISSING,
    "ModelRateLimitError": Family.LIMIT,
    "ModelConnectionError": Family.NETWORK,
    "ModelTimeoutError": SLOW,
    "BlockedPromptException": REFUSED,
    "StopCandidateException": REFUSED,
    "ResponseBlockedError": REFUSED,
    "GatedRepoError": NO_ACCESS,
}

_HTTP: dict[str, Says] = {
    "Timeout": SLOW,
    "TimeoutError": SLOW,
    "TimeoutException": SLOW,
    "ConnectTimeout": SLOW,
    "ReadTimeout": SLOW,
    "ReadTimeoutError": SLOW,
    "ConnectTimeoutError": SLOW,
    "ServerTimeoutError": SLOW,
    "TransportError": UNREACHABLE,
    "NetworkError": UNREACHABLE,
    "ProtocolError": UNREACHABLE,
    "RemoteProtocolError": UNREACHABLE,
    "ConnectionError": UNREACHABLE,
    "ClientConnectionError": UNREACHABLE,
    "ClientConnectorError": UNREACHABLE,
    "ClientOSError": UNREACHABLE,
    "ClientPayloadError": UNREACHABLE,
    "ServerDisconnectedError": UNREACHABLE,
    "ChunkedEncodingError": UNREACHABLE,
    "ConnectionClosed": UNREACHABLE,
    "IncompleteRead": UNREACHABLE,
    "HTTPException": UNREACHABLE,
    "SSLError": UNREACHABLE,
    "ProxyError": UNREACHABLE,
    "MaxRetryError": Family.NETWORK,
    "URLError": Family.NETWORK,
    "HTTPClientError": Family.NETWORK,
    "DecodingError": BROKEN,
    "DecodeError": BROKEN,
    "ContentDecodingError": BROKEN,
    "JSONDecodeError": BROKEN,
    "ContentTypeError": Family.SERVER,
    "TooManyRedirects": BROKEN,
    "UnsupportedProtocol": MALFORMED,
    "InvalidURL": MALFORMED,
    "MissingSchema": MALFORMED,
    "InvalidSchema": MALFORMED,
}

_STANDARD: dict[str, Says] = {
    "TimeoutError": SLOW,
    "ConnectionError": UNREACHABLE,
    "gaierror": UNREACHABLE,
    "herror": UNREACHABLE,
    "timeout": SLOW,
    "SSLError": UNREACHABLE,
    "IncompleteReadError": UNREACHABLE,
    "HTTPException": UNREACHABLE,
    "URLError": Family.NETWORK,
    "JSONDecodeError": BROKEN,
    "BrokenResourceError": UNREACHABLE,
    "ClosedResourceError": UNREACHABLE,
    "EndOfStream": UNREACHABLE,
}

_BOTOCORE: dict[str, Says] = {
    **_HTTP,
    "EndpointConnectionError": UNREACHABLE,
    "ConnectionClosedError": UNREACHABLE,
    "ProxyConnectionError": UNREACHABLE,
    "NoCredentialsError": BAD_KEY,
    "PartialCredentialsError": BAD_KEY,
    "CredentialRetrievalError": BAD_KEY,
    "TokenRetrievalError": BAD_KEY,
    "SSOError": BAD_KEY,
    "UnauthorizedSSOTokenError": BAD_KEY,
    "ParamValidationError": MALFORMED,
    "EventStreamError": Family.SERVER,
}

_GOOGLE: dict[str, Says] = {
    **_HTTP,
    "ResourceExhausted": Family.LIMIT,
    "TooManyRequests": Family.LIMIT,
    "Unauthenticated": Family.KEY,
    "Unauthorized": Family.KEY,
    "PermissionDenied": Family.ACCESS,
    "Forbidden": Family.ACCESS,
    "InvalidArgument": Family.REQUEST,
    "FailedPrecondition": Family.REQUEST,
    "BadRequest": Family.REQUEST,
    "NotFound": Family.MISSING,
    "DeadlineExceeded": SLOW,
    "GatewayTimeout": SLOW,
    "RetryError": SLOW,
    "ServiceUnavailable": Family.BUSY,
    "BadGateway": Family.GATEWAY,
    "ServerError": Family.SERVER,
    "RefreshError": BAD_KEY,
    "DefaultCredentialsError": BAD_KEY,
    "ResponseValidationError": REFUSED,
}

_LITELLM: dict[str, Says] = {
    "Timeout": SLOW,
    # raised for whatever could not be told apart, with a status of its own making
    "APIConnectionError": Family.NETWORK,
    "APIError": Family.SERVER,
    "APIResponseValidationError": BROKEN,
    "NotFoundError": Family.MISSING,
    "UnsupportedParamsError": UNFIT,
    "RouterRateLimitError": CROWDED,
    "RouterRateLimitErrorBasic": CROWDED,
    "RejectedRequestError": REFUSED,
    "GuardrailRaisedException": REFUSED,
    "BlockedPiiEntityError": REFUSED,
    "JSONSchemaValidationError": BROKEN,
    "BadGatewayError": Family.GATEWAY,
}

_LEGACY: dict[str, Says] = {
    **_HTTP,
    "TryAgain": BUSY,
    "PermissionError": Family.ACCESS,
    "NotFoundError": Family.MISSING,
    "TooManyRequestsError": Family.LIMIT,
    "UnauthorizedError": Family.KEY,
    "ForbiddenError": Family.ACCESS,
    "GatewayTimeoutError": SLOW,
    "ClientClosedRequestError": SLOW,
    "APIReachLimitError": Family.LIMIT,
    "APIAuthenticationError": Family.KEY,
    "APIRequestFailedError": Family.REQUEST,
    "APIServerFlowExceedError": BUSY,
    "APIInternalError": Family.SERVER,
    "InferenceTimeoutError": SLOW,
    "RepositoryNotFoundError": Family.MISSING,
    "QuotaError": Family.LIMIT,
    "BusyError": BUSY,
}

MADE_UP = listed("InternalServerError APIConnectionError APIError")
"""LiteLLM's classes whose status may be its own invention."""

PACKAGES: dict[str, dict[str, Says]] = {
    "builtins": _STANDARD,
    "socket": _STANDARD,
    "ssl": _STANDARD,
    "asyncio": _STANDARD,
    "concurrent": _STANDARD,
    "http": _STANDARD,
    "urllib": _STANDARD,
    "json": _STANDARD,
    "anyio": _STANDARD,
    "httpx": _HTTP,
    "httpx2": _HTTP,
    "httpcore": _HTTP,
    "httpcore2": _HTTP,
    "h11": _HTTP,
    "h2": _HTTP,
    "aiohttp": _HTTP,
    "requests": _HTTP,
    "urllib3": _HTTP,
    "websockets": _HTTP,
    "botocore": _BOTOCORE,
    "boto3": _BOTOCORE,
    "aiobotocore": _BOTOCORE,
    "google": _GOOGLE,
    "vertexai": _GOOGLE,
    "litellm": _LITELLM,
    "openai": _LEGACY,
    "anthropic": _LEGACY,
    "groq": _LEGACY,
    "together": _LEGACY,
    "fireworks": _LEGACY,
    "cohere": _LEGACY,
    "mistralai": _LEGACY,
    "zhipuai": _LEGACY,
    "zai": _LEGACY,
    "dashscope": _LEGACY,
    "volcenginesdkarkruntime": _LEGACY,
    "huggingface_hub": _LEGACY,
    "text_generation": _LEGACY,
    "cerebras": _LEGACY,
    "ollama": _LEGACY,
    "replicate": _LEGACY,
    "aleph_alpha_client": _LEGACY,
}

# The caller's own doing: nobody's failure, and not for us to judge.
CANCELLED = listed("CancelledError KeyboardInterrupt GeneratorExit SystemExit GraphBubbleUp Cancelled")
# Mistakes in a program. Their text is not evidence, and what they happened to interrupt is not their cause.
BUGS = listed("""
    TypeError KeyError IndexError AttributeError NameError ImportError SyntaxError AssertionError LookupError
    NotImplementedError RecursionError MemoryError UnicodeError ArithmeticError StopIteration
    StopAsyncIteration
""")
# Databases and queues fail in words much like ours.
STRANGERS = listed("""
    redis valkey psycopg psycopg2 asyncpg sqlite3 sqlalchemy pymongo pymysql aiomysql mysql kafka aiokafka
    celery kombu pika elasticsearch opensearchpy qdrant_client chromadb pinecone weaviate pymilvus pydantic
    pydantic_core sparekey
""")
# What the operating system calls a lost connection; its other errors (a file, a disk) are none of ours.
ERRNOS: dict[int, Says] = {
    number: says
    for says, names in (
        (UNREACHABLE, "ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ENOTCONN ESHUTDOWN EADDRNOTAVAIL"),
        (UNREACHABLE, "ENETUNREACH ENETDOWN ENETRESET EHOSTUNREACH EHOSTDOWN"),
        (SLOW, "ETIMEDOUT"),
    )
    for name in names.split()
    if (number := getattr(errno, name, None)) is not None
}
