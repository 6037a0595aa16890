"""What the codes of gateways mean: they pass on what others said, and add limits of their own.

See :mod:`.dialects_labs`.
"""

from __future__ import annotations

from sparekey._classify.dialect import Dialect, numbers, words
from sparekey._classify.findings import (
    BAD_KEY,
    BROKEN,
    BUSY,
    CROWDED,
    KEY_CAP,
    MALFORMED,
    NO_ACCESS,
    NO_MODEL,
    REFUSED,
    SLOW,
    THROTTLED,
    TOO_LONG,
    UNFIT,
    UNPAID,
    UNREACHABLE,
)

OPENROUTER = Dialect(
    "openrouter",
    "OpenRouter, Errors and debugging",
    words(
        (CROWDED, "upstream_rate_limited"),
        (REFUSED, "moderation_flagged"),
    ),
    hosts=("openrouter.ai",),
    shape=(frozenset(("providername", "raw")),),
    packages=("openrouter", "langchain_openrouter"),
)  # fmt: skip

CLOUDFLARE = Dialect(
    "cloudflare",
    "Cloudflare Workers AI, Errors; Cloudflare API, error codes",
    numbers=numbers(
        (BAD_KEY, "10000 9109 9106 6003 6111 10001 3023"),
        (THROTTLED, "3036 10429 971"),
        (BUSY, "3040"),
        (NO_MODEL, "5007 3042 7000 7003"),
        (NO_ACCESS, "5018 5016 3041"),
        (SLOW, "3007 3008 3046"),
        (MALFORMED, "5004 5006 3003 3006 8001 8004"),
        (TOO_LONG, "5021"),
        (UNFIT, "5005 5019 8007"),
        (BROKEN, "3043 3016"),
    ),
    aliases=("cloudflare_workers_ai", "workers_ai"),
    hosts=("cloudflare.com",),
    shape=(frozenset(("success", "errors")),),
)  # fmt: skip

GATEWAYS = Dialect(
    "gateways",
    "LiteLLM proxy, Virtual keys; new-api and one-api, error codes; GitHub Copilot; Hugging Face",
    words(
        (UNPAID, """
            insufficient_user_quota pre_consume_token_quota_failed budget_exceeded quota_not_enough
            token_quota_exhausted token_quota_not_enough insufficient_user_balance user_quota_exceeded
            billing_not_configured overage_limit_reached
        """),
        (BAD_KEY, """
            token_not_found_in_db expired_key token_expired token_unavailable token_status_exhausted
            auth_error no_authorized_key invalid_token account_suspended
        """),
        (NO_ACCESS, """
            key_model_access_denied team_model_access_denied user_model_access_denied
            org_model_access_denied model_not_supported_by_plan model_not_available_for_integrator
        """),
        (CROWDED, """
            no_deployments_available get_channel_failed channel:no_available_key no_available_channel
            no_available_accounts all_accounts_exhausted
        """),
        (REFUSED, "sensitive_words_detected guardrail_intervened"),
        (SLOW, "channel:response_time_exceeded"),
        (UNREACHABLE, "do_request_failed"),
        (MALFORMED, """
            bad_request_body read_request_body_failed convert_request_failed unsupported_api_for_model
        """),
        (KEY_CAP, "tokens_limit_reached"),
        (THROTTLED, "user_weekly_rate_limited user_global_rate_limited user_model_rate_limited"),
        (BUSY, "overloaded Model_too_busy model_overloaded"),
    ),
)  # fmt: skip

RELAYS = (OPENROUTER, CLOUDFLARE, GATEWAYS)
