"""What the codes of Chinese clouds mean. See :mod:`.dialects_labs`."""

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
    Family,
)

DASHSCOPE = Dialect(
    "dashscope",
    "Alibaba Cloud Model Studio (DashScope), Error codes",
    words(
        # The compatible mode lends OpenAI's word to its own token throttle; an unpaid account is Arrearage.
        (THROTTLED, """
            insufficient_quota Throttling Throttling.RateQuota Throttling.AllocationQuota
            Throttling.BurstRate Throttling.User limit_requests limit_burst_rate
            CommodityNotPurchasedThrottling LimitRequests
        """),
        (UNPAID, """
            Arrearage PrepaidBillOverdue PostpaidBillOverdue CommodityNotPurchased
            AllocationQuota.FreeTierOnly AccountOverdue BillOverdue
        """),
        (BAD_KEY, """
            InvalidApiKey invalid_api_key InvalidAccessKeyId NoAuthorization AccessDenied.IpNotAllowed
        """),
        (NO_ACCESS, "Model.AccessDenied AccessDenied.Unpurchased App.AccessDenied Workspace.AccessDenied"),
        (NO_MODEL, "ModelNotFound model_not_found ModelNotExist WorkSpaceNotFound"),
        (REFUSED, """
            DataInspectionFailed data_inspection_failed InvalidParameter.DataInspection
            IPInfringementSuspect DataInspectionFailed.Input DataInspectionFailed.Output CustomRoleBlocked
            FaqRuleBlocked
        """),
        (TOO_LONG, "BadRequest.TooLarge"),
        (MALFORMED, """
            BadRequest.EmptyInput BadRequest.EmptyParameters BadRequest.EmptyModel InvalidURL InvalidFile
        """),
        (UNFIT, "UnsupportedOperation unsupported_model_operation"),
        (SLOW, "RequestTimeOut RequestTimeOut.Model InternalError.Timeout ResponseTimeout"),
        (BUSY, "ModelUnavailable ModelServingError ServiceUnavailable SystemBusy"),
        (BROKEN, """
            InternalError InternalError.Algo InternalError.FileUpload InternalError.Upload SystemError
            RewriteFailed
        """),
    ),
    aliases=("qwen", "tongyi", "bailian", "aliyun", "alibaba", "modelstudio", "qwen_code"),
    hosts=("aliyuncs.com", "alibabacloud.com", "aliyun.com"),
    packages=("dashscope",),
    hours_east=8,
)  # fmt: skip

QIANFAN = Dialect(
    "qianfan",
    "Baidu Qianfan, error codes of the inference service (V1 numbers, V2 words)",
    words(
        (BAD_KEY, "invalid_iam_token invalid_appId invalid_model_token coding_plan_api_key_not_allowed"),
        (UNPAID, "account_overdue insufficient_balance coding_plan_subscription_expired"),
        (NO_ACCESS, "no_permission no_parameter_permission coding_plan_model_not_supported"),
        (NO_MODEL, "invalid_model model_offline"),
        (THROTTLED, """
            rpm_rate_limit_exceeded tpm_rate_limit_exceeded preemptible_rate_limit_exceeded
            user_rate_limit_exceeded QUOTA_USER_DAILY_FREE RATE_LIMIT_TOTAL_QPS
            RATE_LIMIT_SEARCH_TOTAL_QPS RATE_LIMIT_SEARCH_QPS cluster_rate_limit_exceeded
            coding_plan_hour_quota_exceeded coding_plan_week_quota_exceeded
            coding_plan_month_quota_exceeded
        """),
        (BUSY, "server_high_load service_overloaded"),
        (TOO_LONG, "message_length_exceeded prompt_length_exceeded tokens_too_long"),
        (MALFORMED, "malformed_json invalid_messages"),
        (REFUSED, "unsafe_request unsafe_content"),
        (SLOW, "dispatch_timeout model_timeout"),
        (BROKEN, "dispatch_internal_error"),
    ),
    numbers(
        (BROKEN, "1 2 15 282000 336000 336100 336110 336111 336120 336201"),
        (UNFIT, "3"),
        # 4 is the cluster's limit, the others the account's
        (BUSY, "4 336505"),
        (BAD_KEY, "6 13 14 100 110 111 336002001"),
        (THROTTLED, "17 18 19 336501 336502 336503 336504 336510 337100"),
        (MALFORMED, "336001 336002 336003 336004 336005 336006 336101 336102 336104 336105"),
        (TOO_LONG, "336007 336103"),
        (REFUSED, "336008 336200 336300"),
        (NO_MODEL, "336117"),
    ),
    aliases=("baidu", "ernie", "wenxin", "qianfan_v2"),
    hosts=("baidubce.com", "baidu.com"),
    packages=("qianfan",),
    shape=(frozenset(("errorcode", "errormsg")),),
    own_numbers=range(336000, 338000),
    hours_east=8,
)  # fmt: skip

VOLCENGINE = Dialect(
    "volcengine",
    "Volcengine Ark / BytePlus ModelArk, Error codes",
    words(
        (BAD_KEY, """
            AuthenticationError InvalidCredential SignatureDoesNotMatch InvalidAccessKey AccessDenied
            InvalidAuthorization APIKeyDisabled
        """),
        (UNPAID, "AccountOverdueError AccountOverdue InvalidSubscription"),
        (NO_ACCESS, "ModelNotOpen InvalidEndpointOrModel.ModelIDAccessDisabled UnsupportedModel"),
        (NO_MODEL, """
            InvalidEndpointOrModel.NotFound InvalidEndpoint.NotFound InvalidEndpoint.ClosedEndpoint
            InvalidEndpointOrModel ModelNotFound InvalidEndpoint EndpointIsClosed
        """),
        (THROTTLED, """
            RateLimitExceeded RateLimitExceeded.EndpointRPMExceeded RateLimitExceeded.EndpointTPMExceeded
            RateLimitExceeded.FoundationModelRPMExceeded RateLimitExceeded.FoundationModelTPMExceeded
            ModelAccountRpmRateLimitExceeded ModelAccountTpmRateLimitExceeded
            APIAccountRpmRateLimitExceeded ModelAccountIpmRateLimitExceeded SetLimitExceeded
            InferenceLimitExceeded AccountRateLimitExceeded InflightBatchsizeExceeded RequestBurstTooFast
            AccountQuotaExceeded
        """),
        (Family.LIMIT, "QuotaExceeded"),
        (BUSY, "ServerOverloaded ModelLoadingError ModelLoading ServiceOverloaded ServerBusy"),
        (REFUSED, """
            SensitiveContentDetected InputTextSensitiveContentDetected InputImageSensitiveContentDetected
            OutputTextSensitiveContentDetected OutputImageSensitiveContentDetected InputTextRiskDetection
            SensitiveContentDetected.SevereViolation SensitiveContentDetected.Violence
            InputImageRiskDetection OutputTextRiskDetection OutputImageRiskDetection
            OutputVideoSensitiveContentDetected ContentSecurityDetectionError
            InputVideoSensitiveContentDetected
        """),
        (TOO_LONG, "OutofContextError OutOfContextError"),
        (MALFORMED, """
            MissingParameter InvalidParameter InvalidImageURL InvalidImageURL.EmptyURL
            InvalidImageURL.InvalidFormat InvalidArgumentError OperationDenied.InvalidState
        """),
        (UNFIT, """
            InvalidParameter.UnsupportedModel InvalidParameter.UnsupportedParameter
            OperationDenied.ServiceNotOpen
        """),
        (BROKEN, "InternalServiceError InternalServiceTimeout"),
    ),
    aliases=("ark", "doubao", "byteplus", "bytedance", "modelark"),
    hosts=("volces.com", "bytepluses.com", "volcengineapi.com"),
    packages=("volcenginesdkarkruntime",),
    hours_east=8,
)  # fmt: skip

HUNYUAN = Dialect(
    "hunyuan",
    "Tencent Hunyuan, Error codes; Tencent Cloud, common error codes",
    words(
        (BAD_KEY, """
            AuthFailure AuthFailure.SecretIdNotFound AuthFailure.SignatureFailure
            AuthFailure.SignatureExpire AuthFailure.InvalidSecretId AuthFailure.TokenFailure
            AuthFailure.InvalidAuthorization AuthFailure.UnauthorizedOperation UnauthorizedOperation
            FailedOperation.UserUnAuthError
        """),
        (UNPAID, """
            ResourceInsufficient ResourceInsufficient.ChargeResourceExhaust
            FailedOperation.ResourcePackExhausted FailedOperation.ServiceStop
            FailedOperation.ServiceStopArrears FailedOperation.FreeResourcePackExhausted
            ResourceUnavailable.InArrears ResourceUnavailable.LowBalance FailedOperation.ChargeOverdue
        """),
        (NO_ACCESS, "FailedOperation.ServiceNotActivated ResourceUnavailable.NotExist"),
        (THROTTLED, """
            RequestLimitExceeded LimitExceeded RequestLimitExceeded.UinLimitExceeded
            LimitExceeded.Concurrency RequestLimitExceeded.IPLimitExceeded
            RequestLimitExceeded.GlobalRegionUinLimitExceeded
        """),
        (BUSY, "FailedOperation.EngineServerLimitExceeded"),
        (SLOW, "FailedOperation.EngineRequestTimeout"),
        (BROKEN, "FailedOperation.EngineServerError FailedOperation.ConsoleServerError InternalError"),
        (REFUSED, """
            OperationDenied.TextIllegalDetected OperationDenied.ImageIllegalDetected
            FailedOperation.ModerationFail
        """),
        (MALFORMED, "InvalidParameterValue InvalidParameter MissingParameter InvalidParameterValue.Model"),
        (BLOCKED, "UnsupportedRegion"),
    ),
    aliases=("tencent", "tencentcloud"),
    hosts=("tencent.com", "tencentcloudapi.com"),
    packages=("tencentcloud",),
    hours_east=8,
)  # fmt: skip

HUAWEI = Dialect(
    "huawei",
    "Huawei Cloud ModelArts MaaS, Error codes; API Gateway error codes",
    words(
        (MALFORMED, "ModelArts.81001"),
        (BAD_KEY, """
            ModelArts.81002 ModelArts.81003 ModelArts.81109 APIG.0301 APIG.0302 APIG.0303 APIG.0304
            APIGW.0301
        """),
        (NO_ACCESS, "ModelArts.81004"),
        (UNPAID, "ModelArts.81005 ModelArts.81006"),
        (REFUSED, "ModelArts.81011"),
        (NO_MODEL, "ModelArts.81009 APIG.0101"),
        (THROTTLED, "ModelArts.81101 ModelArts.81103 ModelArts.81102 APIG.0308"),
        (BROKEN, "ModelArts.81100 APIG.0201"),
        (Family.REQUEST, "ModelArts.81108"),
    ),
    aliases=("huawei_maas", "modelarts", "pangu"),
    hosts=("huaweicloud.com", "modelarts-maas.com", "myhuaweicloud.com"),
    hours_east=8,
)  # fmt: skip

CHINA_CLOUDS = (DASHSCOPE, QIANFAN, VOLCENGINE, HUNYUAN, HUAWEI)
