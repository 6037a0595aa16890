"""What each provider's codes mean, one block per provider. Chinese providers are in :mod:`.dialects_cn`.

A block lists what the provider documents; where two providers use one word for opposite things, each has its own row,
and :mod:`.speakers` says who is speaking. A word that all blocks agree on is understood from anybody.
"""

from __future__ import annotations

from sparekey._classify.dialect import Dialect, numbers, words
from sparekey._classify.findings import (
    BAD_KEY,
    BLOCKED,
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
    Family,
)

OPENAI = Dialect(
    "openai",
    "OpenAI, Error codes; also the shape of most OpenAI-compatible servers",
    words(
        (BAD_KEY, "invalid_api_key incorrect_api_key_error invalid_authentication_error account_deactivated"),
        (BAD_KEY, "invalid_organization mismatched_organization mismatched_project ip_not_authorized token_expired"),
        (BAD_KEY, "no_api_key missing_api_key api_key_not_found api_key_expired api_key_disabled user_deactivated"),
        (BAD_KEY, "invalid_issuer account_disabled organization_disabled invalid_token expired_token token_invalidated"),
        (BLOCKED, "unsupported_country_region_territory"),
        (Family.MONEY, "insufficient_quota"),
        (UNPAID, "billing_not_active billing_hard_limit_reached credit_limit_reached"),
        (UNPAID, "access_terminated budget_exceeded insufficient_balance insufficient_funds insufficient_credits"),
        (UNPAID, "insufficient_credit payment_required out_of_credits quota_exhausted balance_insufficient"),
        (Family.LIMIT, "rate_limit_exceeded rate_limited too_many_requests request_limit_exceeded"),
        (THROTTLED, "tokens_usage_based requests_per_day usage_limit_reached usage_not_included"),
        (THROTTLED, "concurrency_limit_exceeded"),
        (TOO_LONG, "context_length_exceeded string_above_max_length context_window_exceeded prompt_too_long"),
        (TOO_LONG, "model_context_window_exceeded input_too_long max_context_length_exceeded context_too_long"),
        (NO_MODEL, "model_not_found model_not_available invalid_model unknown_model model_deprecated model_decommissioned"),
        (NO_MODEL, "model_not_exist model_does_not_exist unsupported_model model_not_supported DeploymentNotFound"),
        (NO_ACCESS, "model_not_allowed model_access_denied model_permission_denied no_model_access"),
        (REFUSED, "content_filter content_policy_violation moderation_blocked content_policy ResponsibleAIPolicyViolation"),
        (REFUSED, "cyber_policy_violation bio_policy_violation safety_error output_blocked prompt_blocked"),
        (UNFIT, "unsupported_parameter unsupported_value model_not_supported_for_endpoint"),
        (MALFORMED, "unknown_parameter invalid_value invalid_type missing_required_parameter invalid_image_url invalid_json"),
        (MALFORMED, "invalid_function_parameters invalid_image invalid_base64 unsupported_file json_parse_error"),
        (MALFORMED, "invalid_prompt invalid_file_format previous_response_not_found"),
        (BUSY, "engine_overloaded engine_overloaded_error server_overloaded slow_down overloaded model_overloaded"),
        (BUSY, "server_is_overloaded service_unavailable_overloaded capacity_exceeded no_capacity"),
        (BROKEN, "websocket_connection_limit_reached vector_store_timeout"),
        (SLOW, "request_timeout gateway_timeout upstream_timeout timeout timeout_error"),
    ),
    aliases=("azure_ad", "chatgpt", "codex", "text_completion_openai"),
    hosts=("openai.com", "chatgpt.com"),
)

AZURE = Dialect(
    "azure",
    "Azure OpenAI, Troubleshooting; Azure API Management, error handling",
    words(
        (NO_MODEL, "DeploymentNotFound ResourceNotFound OperationNotSupported ModelDeprecated"),
        (BAD_KEY, "AuthenticationTypeDisabled PermissionDenied InvalidSubscriptionKey Unauthorized AccessDenied"),
        (UNPAID, "InsufficientQuota SubscriptionDisabled ReadOnlyDisabledSubscription QuotaExceededForSubscription"),
        (BLOCKED, "PublicNetworkAccessDisabled TrafficDenied ThrowExceptionDueToTrafficDenied"),
        (THROTTLED, "RateLimitReached TooManyRequests EngineQuotaExceeded CallRateLimitExceeded"),
        (BUSY, "EngineOverloaded ServiceUnavailable NoCapacity"),
        (UNREACHABLE, "BackendConnectionFailure"),
        (REFUSED, "content_filter ResponsibleAIPolicyViolation content_management_policy"),
    ),
    aliases=("azure_openai", "azure_ai", "azure_text", "azurechatopenai"),
    hosts=("azure.com", "azure-api.net", "windows.net", "azure.us", "azure.cn"),
)

ANTHROPIC = Dialect(
    "anthropic",
    "Anthropic, Errors",
    words(
        (BUSY, "overloaded_error"),
        (UNPAID, "billing_error"),
        (SLOW, "timeout_error"),
        (TOO_LONG, "model_context_window_exceeded"),
    ),
    aliases=("claude", "anthropic_text"),
    hosts=("anthropic.com", "claude.ai", "claude.com"),
    packages=("anthropic", "langchain_anthropic"),
)

GOOGLE = Dialect(
    "google",
    "Gemini API, Troubleshooting; Vertex AI, API errors; google.rpc.Code and google.api.ErrorReason",
    words(
        (BAD_KEY, "API_KEY_INVALID API_KEY_EXPIRED ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_INVALID SERVICE_DISABLED"),
        (BAD_KEY, "ACCOUNT_STATE_INVALID CONSUMER_SUSPENDED CONSUMER_INVALID ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        (BAD_KEY, "API_KEY_SERVICE_BLOCKED API_KEY_HTTP_REFERRER_BLOCKED API_KEY_IP_ADDRESS_BLOCKED"),
        (BAD_KEY, "IAM_PERMISSION_DENIED USER_PROJECT_DENIED ACCESS_TOKEN_TYPE_UNSUPPORTED VALIDATION_REQUIRED"),
        (BLOCKED, "CREDENTIALS_MISSING LOCATION_POLICY_VIOLATED LOCATION_ORG_POLICY_VIOLATED SECURITY_POLICY_VIOLATED"),
        (UNPAID, "BILLING_DISABLED"),
        (THROTTLED, "RATE_LIMIT_EXCEEDED RESOURCE_QUOTA_EXCEEDED QUOTA_EXHAUSTED insufficient_quota"),
        (BUSY, "MODEL_CAPACITY_EXHAUSTED"),
        (SLOW, "DEADLINE_EXCEEDED"),
        (REFUSED, "PROHIBITED_CONTENT SAFETY BLOCKLIST SPII IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT RECITATION"),
        (NO_MODEL, "MODEL_NOT_FOUND"),
    ),
    aliases=("gemini", "vertex", "vertex_ai", "vertexai", "google_genai", "google_vertexai", "google_ai_studio",
             "vertex_ai_beta", "palm", "gemini_cli", "antigravity", "aistudio"),
    hosts=("googleapis.com", "google.com", "google.dev"),
    packages=("google", "vertexai", "langchain_google_genai", "langchain_google_vertexai"),
    shape=(frozenset(("details", "domain")), frozenset(("details", "retrydelay")), frozenset(("details", "violations"))),
)  # fmt: skip

BEDROCK = Dialect(
    "bedrock",
    "Amazon Bedrock, Troubleshooting API error codes; AWS, Common errors",
    words(
        (BAD_KEY, "UnrecognizedClientException InvalidSignatureException ExpiredTokenException ExpiredToken"),
        (BAD_KEY, "InvalidClientTokenId IncompleteSignature MissingAuthenticationToken NotAuthorized OptInRequired"),
        (BAD_KEY, "MissingAuthenticationTokenException SignatureDoesNotMatch AuthFailure InvalidAccessKeyId"),
        (BAD_KEY, "TokenRefreshRequired IncompleteSignatureException"),
        (Family.ACCESS, "AccessDeniedException AccessDenied"),
        (THROTTLED, "ThrottlingException Throttling ServiceQuotaExceededException TooManyRequestsException"),
        (THROTTLED, "RequestLimitExceeded ProvisionedThroughputExceededException LimitExceededException"),
        (BUSY, "ModelNotReadyException ServiceUnavailableException ServiceUnavailable"),
        (SLOW, "ModelTimeoutException RequestTimeout RequestTimeoutException"),
        (BROKEN, "InternalServerException InternalFailure ModelErrorException ModelStreamErrorException"),
        (Family.MISSING, "ResourceNotFoundException"),
        (Family.REQUEST, "ValidationException ValidationError"),
    ),
    aliases=("aws", "bedrock_converse", "amazon_bedrock", "sagemaker", "amazon"),
    hosts=("amazonaws.com",),
    packages=("botocore", "boto3", "aiobotocore", "langchain_aws"),
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
)

MISTRAL = Dialect(
    "mistral",
    "Mistral, Error codes (the four-digit codes are its gateway's)",
    words(
        (BUSY, "service_tier_capacity_exceeded service_tier_capacity_exceeded_error"),
    ),
    # 1300 and 1900 are limits of the account, 3505 is the provider's own capacity.
    numbers((THROTTLED, "1300 1900 2610"), (BUSY, "3505"), (BROKEN, "3000"), (NO_MODEL, "1500")),
    aliases=("mistralai", "codestral"),
    hosts=("mistral.ai",),
    packages=("mistralai", "langchain_mistralai"),
)

GROQ = Dialect(
    "groq",
    "Groq, API error codes and responses",
    words(
        (BAD_KEY, "invalid_api_key organization_restricted"),
        (NO_MODEL, "model_decommissioned model_terms_required model_not_found"),
        (BUSY, "capacity_exceeded flex_tier_capacity_exceeded"),
        (UNFIT, "tool_use_failed json_validate_failed"),
        (BLOCKED, "ip_blocked"),
    ),
    hosts=("groq.com",),
    packages=("groq", "langchain_groq"),
)

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
)

GATEWAYS = Dialect(
    "gateways",
    "LiteLLM proxy, new-api and one-api, Portkey, Vercel AI Gateway, GitHub Copilot, Hugging Face: error types of gateways",
    words(
        (UNPAID, "insufficient_user_quota pre_consume_token_quota_failed budget_exceeded quota_not_enough"),
        (UNPAID, "token_quota_exhausted token_quota_not_enough insufficient_user_balance user_quota_exceeded"),
        (BAD_KEY, "token_not_found_in_db expired_key token_expired token_unavailable token_status_exhausted"),
        (BAD_KEY, "auth_error no_authorized_key invalid_token account_suspended"),
        (NO_ACCESS, "key_model_access_denied team_model_access_denied user_model_access_denied org_model_access_denied"),
        (NO_ACCESS, "model_not_supported_by_plan model_not_available_for_integrator"),
        (CROWDED, "no_deployments_available get_channel_failed channel:no_available_key no_available_channel"),
        (CROWDED, "no_available_accounts all_accounts_exhausted"),
        (REFUSED, "sensitive_words_detected guardrail_intervened"),
        (SLOW, "channel:response_time_exceeded"),
        (UNREACHABLE, "do_request_failed"),
        (MALFORMED, "bad_request_body read_request_body_failed convert_request_failed unsupported_api_for_model"),
        (KEY_CAP, "tokens_limit_reached"),
        (THROTTLED, "user_weekly_rate_limited user_global_rate_limited user_model_rate_limited"),
        (UNPAID, "billing_not_configured overage_limit_reached"),
        (BUSY, "overloaded Model_too_busy model_overloaded"),
    ),
)

WESTERN = (OPENAI, AZURE, ANTHROPIC, GOOGLE, BEDROCK, OPENROUTER, MISTRAL, GROQ, CLOUDFLARE, GATEWAYS)

# Words so common that they only name a family; text and status decide within it.
FAMILIES = words(
    (Family.REQUEST, "invalid_request_error invalid_request bad_request BadRequest BadRequestError INVALID_ARGUMENT"),
    (Family.REQUEST, "FAILED_PRECONDITION invalid-argument validation_error unprocessable_entity OUT_OF_RANGE"),
    (Family.REQUEST, "UnprocessableEntityError InvalidRequestError invalid_parameter_error InvalidParameter"),
    (Family.KEY, "authentication_error AuthenticationError unauthorized UNAUTHENTICATED invalid_authentication"),
    (Family.KEY, "Unauthorized auth_error unauthenticated authentication_failed"),
    (Family.ACCESS, "permission_error permission_denied PERMISSION_DENIED forbidden permission_denied_error access_denied"),
    (Family.ACCESS, "PermissionDeniedError AccessDenied"),
    (Family.MONEY, "billing_error payment_required PaymentRequired"),
    (Family.MISSING, "not_found_error not_found NOT_FOUND NotFoundError resource_not_found_error"),
    (Family.LIMIT, "rate_limit_error rate_limit RESOURCE_EXHAUSTED tokens requests RateLimitError TooManyRequests"),
    (Family.LIMIT, "rate_limit_reached_error too_many_requests_error ratelimit"),
    (Family.SIZE, "request_too_large payload_too_large request_entity_too_large"),
    (Family.SERVER, "server_error internal_server_error INTERNAL InternalServerError internal_error UNKNOWN DATA_LOSS"),
    (Family.GATEWAY, "bad_gateway provider_unavailable"),
    (Family.BUSY, "UNAVAILABLE service_unavailable ServiceUnavailable service_unavailable_error"),
    (Family.SLOW, "DEADLINE_EXCEEDED"),
    (Family.NETWORK, "connection_error network_error ECONNREFUSED ECONNRESET ENOTFOUND EAI_AGAIN EPIPE"),
    (Family.SLOW, "ETIMEDOUT ESOCKETTIMEDOUT UND_ERR_CONNECT_TIMEOUT UND_ERR_HEADERS_TIMEOUT ECONNABORTED"),
)
