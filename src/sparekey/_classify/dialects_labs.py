"""What the codes of model makers and their clouds mean, one block per provider.

A block lists what the provider documents. Where two providers use one word for opposite things each has
its own row, and :mod:`.speakers` says who is speaking; a word that all blocks agree on is understood
from anybody.
"""

from __future__ import annotations

from sparekey._classify.dialect import Dialect, numbers, words
from sparekey._classify.findings import (
    BAD_KEY,
    BLOCKED,
    BROKEN,
    BUSY,
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
from sparekey._classify.sayings import Table, row

OPENAI = Dialect(
    "openai",
    "OpenAI, Error codes; also the shape of most OpenAI-compatible servers",
    words(
        (BAD_KEY, """
            invalid_api_key incorrect_api_key_error invalid_authentication_error account_deactivated
            invalid_organization mismatched_organization mismatched_project ip_not_authorized
            token_expired no_api_key missing_api_key api_key_not_found api_key_expired api_key_disabled
            user_deactivated invalid_issuer account_disabled organization_disabled invalid_token
            expired_token token_invalidated
        """),
        (BLOCKED, "unsupported_country_region_territory data_residency_mismatch"),
        (Family.MONEY, "insufficient_quota"),
        (UNPAID, """
            billing_not_active billing_hard_limit_reached credit_limit_reached access_terminated
            budget_exceeded insufficient_balance insufficient_funds insufficient_credits
            insufficient_credit payment_required out_of_credits quota_exhausted balance_insufficient
        """),
        (Family.LIMIT, "rate_limit_exceeded rate_limited too_many_requests request_limit_exceeded"),
        (THROTTLED, """
            tokens_usage_based requests_per_day usage_limit_reached usage_not_included
            concurrency_limit_exceeded
        """),
        (Family.REQUEST, "string_above_max_length"),
        (TOO_LONG, """
            context_length_exceeded context_window_exceeded prompt_too_long model_context_window_exceeded
            input_too_long max_context_length_exceeded context_too_long
        """),
        (NO_MODEL, """
            model_not_found model_not_available invalid_model unknown_model model_deprecated
            model_decommissioned model_not_exist model_does_not_exist unsupported_model
            model_not_supported DeploymentNotFound
        """),
        (NO_ACCESS, "model_not_allowed model_access_denied model_permission_denied no_model_access"),
        (REFUSED, """
            content_filter content_policy_violation moderation_blocked content_policy
            ResponsibleAIPolicyViolation cyber_policy_violation bio_policy_violation safety_error
            output_blocked prompt_blocked bio_policy image_content_policy_violation
        """),
        (UNFIT, "unsupported_parameter unsupported_value model_not_supported_for_endpoint"),
        (MALFORMED, """
            unknown_parameter invalid_value invalid_type missing_required_parameter invalid_image_url
            invalid_json invalid_function_parameters invalid_image invalid_base64 unsupported_file
            json_parse_error invalid_prompt invalid_image_format invalid_base64_image image_too_large
            image_too_small image_parse_error failed_to_download_image unsupported_image_media_type
            invalid_file_format previous_response_not_found
        """),
        (BUSY, """
            engine_overloaded engine_overloaded_error server_overloaded slow_down overloaded
            model_overloaded server_is_overloaded service_unavailable_overloaded capacity_exceeded
            no_capacity
        """),
        (BROKEN, "websocket_connection_limit_reached vector_store_timeout"),
        (SLOW, "request_timeout gateway_timeout upstream_timeout timeout timeout_error"),
    ),
    aliases=("azure_ad", "chatgpt", "codex", "text_completion_openai"),
    hosts=("openai.com", "chatgpt.com"),
)  # fmt: skip

AZURE = Dialect(
    "azure",
    "Azure OpenAI, Troubleshooting; Azure API Management, error handling",
    words(
        (NO_MODEL, "DeploymentNotFound ResourceNotFound OperationNotSupported ModelDeprecated"),
        (BAD_KEY, """
            AuthenticationTypeDisabled PermissionDenied InvalidSubscriptionKey Unauthorized AccessDenied
        """),
        (UNPAID, """
            InsufficientQuota SubscriptionDisabled ReadOnlyDisabledSubscription
            QuotaExceededForSubscription
        """),
        (BLOCKED, "PublicNetworkAccessDisabled TrafficDenied ThrowExceptionDueToTrafficDenied"),
        (THROTTLED, "RateLimitReached TooManyRequests EngineQuotaExceeded CallRateLimitExceeded"),
        (BUSY, "EngineOverloaded ServiceUnavailable NoCapacity"),
        (UNREACHABLE, "BackendConnectionFailure"),
        (REFUSED, "content_filter ResponsibleAIPolicyViolation content_management_policy"),
    ),
    aliases=("azure_openai", "azure_ai", "azure_text", "azurechatopenai"),
    hosts=("azure.com", "azure-api.net", "windows.net", "azure.us", "azure.cn"),
)  # fmt: skip

ANTHROPIC = Dialect(
    "anthropic",
    "Anthropic, Errors (error.type, and error.details.error_code)",
    words(
        (BUSY, "overloaded_error"),
        (UNPAID, """
            billing_error contract_spend_limit_reached enforced_spend_limit_reached
            linked_organization_billing_unavailable linked_organization_spend_limit_reached
        """),
        (BAD_KEY, """
            organization_on_hold claude_code_key_creator_not_member organization_type_not_supported
            parent_organization_required cmek_key_disabled cmek_key_network_blocked
        """),
        (BLOCKED, "sandbox_egress_restricted"),
        (THROTTLED, "ramp_limit_exceeded"),
        (SLOW, "timeout_error"),
        (TOO_LONG, "model_context_window_exceeded request_body_too_large_after_decoding"),
        (MALFORMED, "request_body_encoding_invalid request_body_encoding_unsupported"),
        (UNFIT, "claude_code_version_too_old"),
        (BROKEN, "cmek_context_unavailable cmek_key_unreachable"),
    ),
    aliases=("claude", "anthropic_text"),
    hosts=("anthropic.com", "claude.ai", "claude.com"),
    packages=("anthropic", "langchain_anthropic"),
)  # fmt: skip

GOOGLE = Dialect(
    "google",
    "Gemini API, Troubleshooting; Vertex AI, API errors; google.rpc.Code and google.api.ErrorReason",
    words(
        (BAD_KEY, """
            API_KEY_INVALID API_KEY_EXPIRED ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_INVALID SERVICE_DISABLED
            ACCOUNT_STATE_INVALID CONSUMER_SUSPENDED CONSUMER_INVALID ACCESS_TOKEN_SCOPE_INSUFFICIENT
            API_KEY_SERVICE_BLOCKED API_KEY_HTTP_REFERRER_BLOCKED API_KEY_IP_ADDRESS_BLOCKED
            IAM_PERMISSION_DENIED USER_PROJECT_DENIED ACCESS_TOKEN_TYPE_UNSUPPORTED VALIDATION_REQUIRED
        """),
        (BLOCKED, """
            CREDENTIALS_MISSING LOCATION_POLICY_VIOLATED LOCATION_ORG_POLICY_VIOLATED
            SECURITY_POLICY_VIOLATED
        """),
        (UNPAID, "BILLING_DISABLED"),
        (THROTTLED, "RATE_LIMIT_EXCEEDED RESOURCE_QUOTA_EXCEEDED QUOTA_EXHAUSTED insufficient_quota"),
        (BUSY, "MODEL_CAPACITY_EXHAUSTED"),
        (SLOW, "DEADLINE_EXCEEDED"),
        (REFUSED, """
            PROHIBITED_CONTENT SAFETY BLOCKLIST SPII IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT RECITATION
        """),
        (NO_MODEL, "MODEL_NOT_FOUND"),
    ),
    aliases=(
        *("gemini", "gemini_cli", "vertex", "vertex_ai", "vertex_ai_beta", "vertexai", "palm", "aistudio"),
        *("google_genai", "google_vertexai", "google_ai_studio", "antigravity"),
    ),
    hosts=("googleapis.com", "google.com", "google.dev"),
    packages=("google", "vertexai", "langchain_google_genai", "langchain_google_vertexai"),
    own_words=("resourceexhausted", "failedprecondition", "invalidargument"),
    # It speaks of plan and billing to whoever is over a free quota, which refills.
    sentences=Table((row(THROTTLED, "exceeded your current quota", (Family.LIMIT,)),)),
    shape=(
        frozenset(("details", "domain")),
        frozenset(("details", "retrydelay")),
        frozenset(("details", "violations")),
    ),
)  # fmt: skip

BEDROCK = Dialect(
    "bedrock",
    "Amazon Bedrock, Troubleshooting API error codes; AWS, Common errors",
    words(
        (BAD_KEY, """
            UnrecognizedClientException InvalidSignatureException ExpiredTokenException ExpiredToken
            InvalidClientTokenId IncompleteSignature MissingAuthenticationToken NotAuthorized
            OptInRequired MissingAuthenticationTokenException SignatureDoesNotMatch AuthFailure
            InvalidAccessKeyId TokenRefreshRequired IncompleteSignatureException
        """),
        (Family.ACCESS, "AccessDeniedException AccessDenied"),
        (THROTTLED, """
            ThrottlingException Throttling ServiceQuotaExceededException TooManyRequestsException
            RequestLimitExceeded ProvisionedThroughputExceededException LimitExceededException
        """),
        (BUSY, "ModelNotReadyException ServiceUnavailableException ServiceUnavailable"),
        (SLOW, "ModelTimeoutException RequestTimeout RequestTimeoutException"),
        (BROKEN, "InternalServerException InternalFailure ModelErrorException ModelStreamErrorException"),
        (Family.MISSING, "ResourceNotFoundException"),
        (Family.REQUEST, "ValidationException ValidationError"),
    ),
    aliases=("aws", "bedrock_converse", "amazon_bedrock", "sagemaker", "amazon"),
    hosts=("amazonaws.com",),
    packages=("botocore", "boto3", "aiobotocore", "langchain_aws"),
)  # fmt: skip

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
)  # fmt: skip

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
)  # fmt: skip

LABS = (OPENAI, AZURE, ANTHROPIC, GOOGLE, BEDROCK, MISTRAL, GROQ)
