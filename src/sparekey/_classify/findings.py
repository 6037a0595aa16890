"""What a piece of evidence can say: the dozen conclusions every table of this package is written in.

A :class:`Finding` is final. A :class:`Family` is not: it is what a generic type, code or status says
("something is wrong with the request"), and finer evidence decides within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sparekey._types import Reason


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason, and the two facts that go with it."""

    reason: Reason
    other_key_helps: bool
    other_model_helps: bool = True


# A key or its account. Another account's key may do better.
BAD_KEY = Finding(Reason.AUTH, other_key_helps=True)
UNPAID = Finding(Reason.BILLING, other_key_helps=True)
THROTTLED = Finding(Reason.RATE_LIMIT, other_key_helps=True)
NO_ACCESS = Finding(Reason.MODEL_NOT_FOUND, other_key_helps=True)
"""The model exists, this account or its plan does not have it."""
KEY_CAP = Finding(Reason.CONTEXT_OVERFLOW, other_key_helps=True)
"""A request above a cap of this account's tier, smaller than the model's own window."""

# The place or the road. No key of this model helps.
BLOCKED = Finding(Reason.AUTH, other_key_helps=False)
"""A region, a network rule, a way to sign in that the endpoint does not know."""
CROWDED = Finding(Reason.RATE_LIMIT, other_key_helps=False)
"""A limit that all keys share, as of a gateway whose own pool is spent."""
BUSY = Finding(Reason.OVERLOADED, other_key_helps=False)
BROKEN = Finding(Reason.SERVER_ERROR, other_key_helps=False)
SLOW = Finding(Reason.TIMEOUT, other_key_helps=False)
UNREACHABLE = Finding(Reason.NETWORK, other_key_helps=False)

# The model.
NO_MODEL = Finding(Reason.MODEL_NOT_FOUND, other_key_helps=False)
TOO_LONG = Finding(Reason.CONTEXT_OVERFLOW, other_key_helps=False)
REFUSED = Finding(Reason.CONTENT_POLICY, other_key_helps=False)
UNFIT = Finding(Reason.FORMAT, other_key_helps=False)
"""A request this model or endpoint cannot take (a feature it lacks, an output cap) and another may."""

# The request.
MALFORMED = Finding(Reason.FORMAT, other_key_helps=False, other_model_helps=False)
ABORTED = Finding(Reason.UNKNOWN, other_key_helps=False, other_model_helps=False)
"""The caller gave up; nobody failed."""


class Family(StrEnum):
    """What a generic word says: which finer evidence to expect, and a conclusion where there is none."""

    REQUEST = "request"
    KEY = "key"
    ACCESS = "access"
    MONEY = "money"
    MISSING = "missing"
    LIMIT = "limit"
    SIZE = "size"
    SERVER = "server"
    GATEWAY = "gateway"
    BUSY = "busy"
    SLOW = "slow"
    NETWORK = "network"


DEFAULTS: dict[Family, Finding] = {
    Family.REQUEST: MALFORMED,
    Family.KEY: BAD_KEY,
    Family.ACCESS: BAD_KEY,
    Family.MONEY: UNPAID,
    Family.MISSING: NO_MODEL,
    Family.LIMIT: THROTTLED,
    Family.SIZE: TOO_LONG,
    Family.SERVER: BROKEN,
    Family.GATEWAY: BROKEN,
    Family.BUSY: BUSY,
    Family.SLOW: SLOW,
    Family.NETWORK: UNREACHABLE,
}
