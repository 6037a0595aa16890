"""What the codes of Chinese providers mean, one block per provider. See :mod:`.dialects`."""

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

ZHIPU = Dialect(
    "zhipu",
    "Zhipu / Z.AI, API error codes (business codes)",
    numbers=numbers(
        (BAD_KEY, "1000 1001 1002 1003 1004 1100 1110 1111 1112 1121 1220"),
        (UNPAID, "1113 1309"),
        (BROKEN, "1120 1200 1230 1234"),
        (MALFORMED, "1210 1213 1214 1215 1221 1222 1231"),
        (NO_MODEL, "1211"),
        (UNFIT, "1212"),
        (TOO_LONG, "1261"),
        (REFUSED, "1300 1301"),
        # 1302 to 1304 count calls, 1308 and 1310 a plan's window, 1313 is its fair-use brake.
        (THROTTLED, "1302 1303 1304 1308 1310 1313"),
        (BUSY, "1305 1312"),
        (NO_ACCESS, "1311"),
    ),
    aliases=("zhipuai", "zai", "z_ai", "glm", "bigmodel", "chatglm"),
    hosts=("bigmodel.cn", "z.ai"),
    packages=("zhipuai", "zai"),
    own_numbers=range(1110, 1314),
)

DASHSCOPE = Dialect(
    "dashscope",
    "Alibaba Cloud Model Studio (DashScope), Error codes",
    words(
        # The compatible mode lends OpenAI's word to its own token throttle; an unpaid account is Arrearage.
        (THROTTLED, "insufficient_quota Throttling Throttling.RateQuota Throttling.AllocationQuota Throttling.BurstRate"),
        (THROTTLED, "Throttling.User limit_requests limit_burst_rate CommodityNotPurchasedThrottling"),
        (THROTTLED, "LimitRequests"),
        (UNPAID, "Arrearage PrepaidBillOverdue PostpaidBillOverdue CommodityNotPurchased AllocationQuota.FreeTierOnly"),
        (UNPAID, "AccountOverdue BillOverdue"),
        (BAD_KEY, "InvalidApiKey invalid_api_key InvalidAccessKeyId NoAuthorization AccessDenied.IpNotAllowed"),
        (NO_ACCESS, "Model.AccessDenied AccessDenied.Unpurchased App.AccessDenied Workspace.AccessDenied"),
        (NO_MODEL, "ModelNotFound model_not_found ModelNotExist WorkSpaceNotFound"),
        (REFUSED, "DataInspectionFailed data_inspection_failed InvalidParameter.DataInspection IPInfringementSuspect"),
        (REFUSED, "DataInspectionFailed.Input DataInspectionFailed.Output CustomRoleBlocked FaqRuleBlocked"),
        (TOO_LONG, "BadRequest.TooLarge"),
        (MALFORMED, "BadRequest.EmptyInput BadRequest.EmptyParameters BadRequest.EmptyModel InvalidURL InvalidFile"),
        (UNFIT, "UnsupportedOperation unsupported_model_operation"),
        (SLOW, "RequestTimeOut RequestTimeOut.Model InternalError.Timeout ResponseTimeout"),
        (BUSY, "ModelUnavailable ModelServingError ServiceUnavailable SystemBusy"),
        (BROKEN, "InternalError InternalError.Algo InternalError.FileUpload InternalError.Upload SystemError RewriteFailed"),
    ),
    aliases=("qwen", "tongyi", "bailian", "aliyun", "alibaba", "modelstudio", "qwen_code"),
    hosts=("aliyuncs.com", "alibabacloud.com", "aliyun.com"),
    packages=("dashscope",),
)

QIANFAN = Dialect(
    "qianfan",
    "Baidu Qianfan, error codes of the inference service (V1 numbers, V2 words)",
    words(
        (BAD_KEY, "invalid_iam_token invalid_appId invalid_model_token coding_plan_api_key_not_allowed"),
        (UNPAID, "account_overdue insufficient_balance coding_plan_subscription_expired"),
        (NO_ACCESS, "no_permission no_parameter_permission coding_plan_model_not_supported"),
        (NO_MODEL, "invalid_model model_offline"),
        (THROTTLED, "rpm_rate_limit_exceeded tpm_rate_limit_exceeded preemptible_rate_limit_exceeded"),
        (THROTTLED, "user_rate_limit_exceeded QUOTA_USER_DAILY_FREE RATE_LIMIT_TOTAL_QPS RATE_LIMIT_SEARCH_TOTAL_QPS"),
        (THROTTLED, "RATE_LIMIT_SEARCH_QPS cluster_rate_limit_exceeded coding_plan_hour_quota_exceeded"),
        (THROTTLED, "coding_plan_week_quota_exceeded coding_plan_month_quota_exceeded"),
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
)

VOLCENGINE = Dialect(
    "volcengine",
    "Volcengine Ark / BytePlus ModelArk, Error codes",
    words(
        (BAD_KEY, "AuthenticationError InvalidCredential SignatureDoesNotMatch InvalidAccessKey AccessDenied"),
        (BAD_KEY, "InvalidAuthorization APIKeyDisabled"),
        (UNPAID, "AccountOverdueError AccountOverdue InvalidSubscription"),
        (NO_ACCESS, "ModelNotOpen InvalidEndpointOrModel.ModelIDAccessDisabled UnsupportedModel"),
        (NO_MODEL, "InvalidEndpointOrModel.NotFound InvalidEndpoint.NotFound InvalidEndpoint.ClosedEndpoint"),
        (NO_MODEL, "InvalidEndpointOrModel ModelNotFound InvalidEndpoint EndpointIsClosed"),
        (THROTTLED, "RateLimitExceeded RateLimitExceeded.EndpointRPMExceeded RateLimitExceeded.EndpointTPMExceeded"),
        (THROTTLED, "RateLimitExceeded.FoundationModelRPMExceeded RateLimitExceeded.FoundationModelTPMExceeded"),
        (THROTTLED, "ModelAccountRpmRateLimitExceeded ModelAccountTpmRateLimitExceeded APIAccountRpmRateLimitExceeded"),
        (THROTTLED, "ModelAccountIpmRateLimitExceeded SetLimitExceeded InferenceLimitExceeded"),
        (THROTTLED, "AccountRateLimitExceeded InflightBatchsizeExceeded RequestBurstTooFast AccountQuotaExceeded"),
        (Family.LIMIT, "QuotaExceeded"),
        (BUSY, "ServerOverloaded ModelLoadingError ModelLoading ServiceOverloaded ServerBusy"),
        (REFUSED, "SensitiveContentDetected InputTextSensitiveContentDetected InputImageSensitiveContentDetected"),
        (REFUSED, "OutputTextSensitiveContentDetected OutputImageSensitiveContentDetected InputTextRiskDetection"),
        (REFUSED, "SensitiveContentDetected.SevereViolation SensitiveContentDetected.Violence InputImageRiskDetection"),
        (REFUSED, "OutputTextRiskDetection OutputImageRiskDetection OutputVideoSensitiveContentDetected"),
        (REFUSED, "ContentSecurityDetectionError InputVideoSensitiveContentDetected"),
        (TOO_LONG, "OutofContextError OutOfContextError"),
        (MALFORMED, "MissingParameter InvalidParameter InvalidImageURL InvalidImageURL.EmptyURL InvalidImageURL.InvalidFormat"),
        (MALFORMED, "InvalidArgumentError OperationDenied.InvalidState"),
        (UNFIT, "InvalidParameter.UnsupportedModel InvalidParameter.UnsupportedParameter OperationDenied.ServiceNotOpen"),
        (BROKEN, "InternalServiceError InternalServiceTimeout"),
    ),
    aliases=("ark", "doubao", "byteplus", "bytedance", "modelark"),
    hosts=("volces.com", "bytepluses.com", "volcengineapi.com"),
    packages=("volcenginesdkarkruntime",),
)

MINIMAX = Dialect(
    "minimax",
    "MiniMax, Error codes (base_resp.status_code)",
    words((BUSY, "overloaded_error")),
    numbers(
        (BROKEN, "1000 1013 1024 1033"),
        (SLOW, "1001"),
        # 1041 is a limit on connections, 2045 a growth limit, 2056 a plan's window
        (THROTTLED, "1002 1039 1041 2045 2056"),
        (BAD_KEY, "1004 1044 2049"),
        (UNPAID, "1008 1028 1030"),
        (REFUSED, "1026 1027 1043"),
        (MALFORMED, "1042 2013 20132"),
        (NO_ACCESS, "2061"),
    ),
    hosts=("minimax.chat", "minimaxi.com", "minimax.io", "minimaxi.chat"),
    shape=(frozenset(("baseresp",)), frozenset(("statuscode", "statusmsg"))),
)

MOONSHOT = Dialect(
    "moonshot",
    "Moonshot / Kimi, Error reference",
    words(
        (UNPAID, "exceeded_current_quota_error"),
        (BUSY, "engine_overloaded_error"),
        (THROTTLED, "rate_limit_reached_error"),
        (BAD_KEY, "incorrect_api_key_error invalid_authentication_error access_terminated_error"),
        (REFUSED, "content_filter"),
        (NO_MODEL, "resource_not_found_error"),
        (SLOW, "request_timeout_error"),
    ),
    aliases=("kimi", "kimi_code", "kimi_coding"),
    hosts=("moonshot.cn", "moonshot.ai", "kimi.com", "kimi.ai"),
)

HUNYUAN = Dialect(
    "hunyuan",
    "Tencent Hunyuan, Error codes; Tencent Cloud, common error codes",
    words(
        (BAD_KEY, "AuthFailure AuthFailure.SecretIdNotFound AuthFailure.SignatureFailure AuthFailure.SignatureExpire"),
        (BAD_KEY, "AuthFailure.InvalidSecretId AuthFailure.TokenFailure AuthFailure.InvalidAuthorization"),
        (BAD_KEY, "AuthFailure.UnauthorizedOperation UnauthorizedOperation FailedOperation.UserUnAuthError"),
        (UNPAID, "ResourceInsufficient ResourceInsufficient.ChargeResourceExhaust FailedOperation.ResourcePackExhausted"),
        (UNPAID, "FailedOperation.ServiceStop FailedOperation.ServiceStopArrears FailedOperation.FreeResourcePackExhausted"),
        (UNPAID, "ResourceUnavailable.InArrears ResourceUnavailable.LowBalance FailedOperation.ChargeOverdue"),
        (NO_ACCESS, "FailedOperation.ServiceNotActivated ResourceUnavailable.NotExist"),
        (THROTTLED, "RequestLimitExceeded LimitExceeded RequestLimitExceeded.UinLimitExceeded LimitExceeded.Concurrency"),
        (THROTTLED, "RequestLimitExceeded.IPLimitExceeded RequestLimitExceeded.GlobalRegionUinLimitExceeded"),
        (BUSY, "FailedOperation.EngineServerLimitExceeded"),
        (SLOW, "FailedOperation.EngineRequestTimeout"),
        (BROKEN, "FailedOperation.EngineServerError FailedOperation.ConsoleServerError InternalError"),
        (REFUSED, "OperationDenied.TextIllegalDetected OperationDenied.ImageIllegalDetected FailedOperation.ModerationFail"),
        (MALFORMED, "InvalidParameterValue InvalidParameter MissingParameter InvalidParameterValue.Model"),
        (BLOCKED, "UnsupportedRegion"),
    ),
    aliases=("tencent", "tencentcloud"),
    hosts=("tencent.com", "tencentcloudapi.com"),
    packages=("tencentcloud",),
)

SILICONFLOW = Dialect(
    "siliconflow",
    "SiliconFlow, Error codes",
    numbers=numbers(
        (BAD_KEY, "20001"),
        (NO_MODEL, "20012 30003"),
        (MALFORMED, "20015"),
        (UNPAID, "30001 30011"),
        (NO_ACCESS, "30002"),
        (BUSY, "50505 50508"),
        (BROKEN, "50507 50501 50502 60000"),
        (THROTTLED, "50601 50603 50604"),
    ),
    hosts=("siliconflow.cn", "siliconflow.com"),
    shape=(frozenset(("code", "message", "data")),),
    own_numbers=range(20001, 20100),
)

SPARK = Dialect(
    "spark",
    "iFlytek Spark, error codes of the web API",
    numbers=numbers(
        (MALFORMED, "10003 10004 10005 10163 10404"),
        (REFUSED, "10013 10014 10019 10021"),
        (BUSY, "10008 10012 10110 10222"),
        (BAD_KEY, "11200 10015 10016 10313"),
        (THROTTLED, "11201 11202 11203 10007"),
        (TOO_LONG, "10907"),
        (BROKEN, "10000 10001 10002 10006 10010 10011 10018 10223"),
    ),
    aliases=("iflytek", "xfyun", "xinghuo"),
    hosts=("xf-yun.com", "xfyun.cn"),
    shape=(frozenset(("header", "sid")),),
)

HUAWEI = Dialect(
    "huawei",
    "Huawei Cloud ModelArts MaaS, Error codes; API Gateway error codes",
    words(
        (MALFORMED, "ModelArts.81001"),
        (BAD_KEY, "ModelArts.81002 ModelArts.81003 ModelArts.81109 APIG.0301 APIG.0302 APIG.0303 APIG.0304 APIGW.0301"),
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
)

STEPFUN = Dialect(
    "stepfun",
    "StepFun, Error codes",
    words((REFUSED, "censorship_blocked content_censored request_blocked")),
    hosts=("stepfun.com", "stepfun.ai"),
)

CHINESE = (
    ZHIPU, DASHSCOPE, QIANFAN, VOLCENGINE, MINIMAX, MOONSHOT, HUNYUAN, SILICONFLOW, SPARK, HUAWEI, STEPFUN,
)  # fmt: skip
