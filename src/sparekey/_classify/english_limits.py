"""What sentences about keys, limits and the weather mean; the second half of :mod:`.english`."""

from __future__ import annotations

from sparekey._classify.english import CALLER, CONTENT, MODEL, MONEY, PLACE, SIZE
from sparekey._classify.findings import (
    BAD_KEY,
    BROKEN,
    BUSY,
    CROWDED,
    MALFORMED,
    SLOW,
    THROTTLED,
    UNREACHABLE,
    Family,
)
from sparekey._classify.sayings import ANY, Row, Table, row

_F = Family
_WEATHER = (None, _F.SERVER, _F.GATEWAY, _F.BUSY, _F.SLOW, _F.NETWORK)
"""Families under which words about load, time and connections are about the provider's, not the request's."""

KEYS: tuple[Row, ...] = (
    row(BAD_KEY, """
        invalid api key | invalid apikey | incorrect api key | wrong api key | api key not valid
        api key is not valid | api key … invalid | api key … expired | api key … not found
        api key … does not exist | api key … disabled | api key … revoked | api key … blocked
        api key … suspended | api key … deleted | api key … leaked | reported as leaked | no api key
        missing api key | api key is missing | api key missing | api key is required | api key required
        provide an api key | provide your api key | api key client option must be set | invalid x api key
        invalid key | could not resolve authentication | invalid bearer token | invalid access token
        access token … expired | access token … invalid | invalid auth* | authentication fail*
        failed to authenticate | failed authentication | authentication token | could not authenticate
        unable to authenticate | authentication … required | not authenticated | unauthenticated
        invalid credential* | invalid … credentials | no auth credentials | auth credentials found
        could not validate credentials | unable to locate credentials | credentials … expired
        credentials were not found | default credentials | security token … invalid
        security token … expired | signature … not match | invalid signature | invalid grant | oauth token
        oauth authentication | refresh token | token refresh | token has been invalidated | re authenticate
        reauthenticate | log in again | login again | sign in again | please log in | please login
        not logged in | session expired | organization has been disabled | account … disabled
        account … deactivated | account … suspended | account … locked | account … banned
        account … terminated | account … not active | account … inactive | account … restricted
        account … blocked | access terminated | workspace … disabled | project … suspended | user … disabled
        user … banned | consumer … suspended | unregistered callers | has not been used in project
        member of an organization | no such organization | invalid organization | user not found
        illegal header value | verify your account | only authorized for use with | secret with the name
        account verification | insufficient authentication scopes | missing scopes
    """, ANY - {_F.SIZE, _F.SLOW, _F.BUSY}),
    row(BAD_KEY, """
        unauthorized | permission denied | access denied | forbidden | not authorized | not have permission
        insufficient permissions | lack* permission | token … expired | invalid token
    """, (None, _F.SERVER, _F.KEY, _F.ACCESS)),
)  # fmt: skip

LIMITS: tuple[Row, ...] = (
    row(CROWDED, """
        no deployments available | all deployments | all accounts | no available accounts
        no healthy deployment*
    """, (None, _F.LIMIT, _F.BUSY, _F.SERVER)),
    row(BUSY, """
        overloaded | overload | busy | engine busi | reset reason overflow | capacity | experiencing high
        high demand | high load | heavy load | high traffic | heavy traffic | unusually high | peak load
        under load | load is too high | system load | too much load | traffic is too
        maximum pending requests | queue is full | queue full | queue size exceeded | too many pending
        currently loading | is loading | loading model | not ready for inference | model is not ready
        model … cold | scaling up | warming up | no more data centers | no healthy upstream
        resource pressure | upstream load | saturated | being throttled by upstream
    """, (*_WEATHER, _F.LIMIT, _F.REQUEST)),
    row(THROTTLED, """
        rate limit* | ratelimited | rate exceeded | too many requests | throttled | throttling
        throttlingexception | resource exhausted | resource has been exhausted | exceeded … quota
        quota … exceeded | quota limit | over quota | quota reached | quota of | exceeded the limit
        exceeded … rate | exceeded your … limit | request limit | requests limit | limit of requests
        limit reached | reached … limit | limit exceeded | limitexceeded | exceed* … requests | slow down
        tpm | rpm | tpd | rpd | qps | retry limit | too many connections | cooling down | cooldown
    """, ANY - {_F.KEY, _F.MISSING, _F.MONEY, _F.SLOW}),
)  # fmt: skip

REQUEST: tuple[Row, ...] = (
    # Who complains about a request and mentions a key complains about the key.
    row(BAD_KEY, """
        api key | apikey | api token | api secret | access token | authorization header | bearer token
    """, (None, _F.REQUEST, _F.SERVER, _F.GATEWAY)),
    row(MALFORMED, """
        invalid request | invalid parameter | invalid argument | invalid json | invalid url
        missing required | field required | is a required | validation error | validation failed
        roles must alternate | tool call id | tool use ids | tool result | must be followed by tool
        unexpected role | malformed | unsupported content type | cannot parse | failed to parse … request
        could not parse … body | unmarshal | deserialize | base64
    """, (None, _F.SERVER, _F.GATEWAY)),
)  # fmt: skip

WEATHER: tuple[Row, ...] = (
    row(SLOW, """
        timed out | timeout | time out | timeouts | deadline exceeded | deadlineexceeded | etimedout
        esockettimedout | took too long | not respond in time | did not respond within | not complete within
        idle for too long | no response received within | stalled
    """, _WEATHER),
    row(BROKEN, "server had an error | internal server error", (None,)),
    row(UNREACHABLE, """
        connection error | connection refused | connection reset | connection aborted | connection closed
        connection was closed | connection lost | connection failed | connection attempts failed
        connection broken | connection terminated | connection interrupted | connection dropped
        connection attempt failed | econnrefused | econnreset | enotfound | epipe | ehostunreach
        enetunreach | eai again | getaddrinfo | name resolution | name or service not known
        nodename nor servname | no address associated | no such host | no route to host
        network is unreachable | network unreachable | network error | network connection | host unreachable
        broken pipe | socket hang up | other side closed | remote end closed | peer closed
        peer disconnect* | disconnected | incomplete chunked | incomplete read | incompleteread
        premature close | eof | prematurely | unexpected end of | ssl | tls | certificate | fetch failed
        failed to fetch | failed to connect | failed to establish | cannot connect | could not connect
        couldn t connect | error sending request | stream error | received from peer | unable to connect
        can t connect | failed to send request | max retries exceeded with url | dns | proxy error | tunnel
        stream closed | stream ended | response ended | upstream connect error | client network socket
    """, (None, _F.NETWORK, _F.SERVER, _F.GATEWAY, _F.BUSY)),
    row(UNREACHABLE, "terminated", (None,)),
    row(BUSY, """
        try again later | temporarily not available | unavailable
    """, (None,)),
    row(BROKEN, """
        internal error | internalservererror | bad gateway | server error | server had an error
        unknown error | unexpected error | error occurred | went wrong | backend error | upstream error
        provider returned error | crashed | cuda | out of memory | empty response | no choices
        invalid response | unable to process | failed to process | upstream request failed
        all providers failed | exception | failed to generate | generation failed
    """, (None,)),
)  # fmt: skip

ENGLISH = Table((*CALLER, *CONTENT, *SIZE, *PLACE, *MONEY, *MODEL, *KEYS, *LIMITS, *REQUEST, *WEATHER))
