"""What the codes of Chinese model makers mean, most of them numbers. See :mod:`.dialects_labs`."""

from __future__ import annotations

from sparekey._classify.dialect import Dialect, numbers, words
from sparekey._classify.findings import (
    BAD_KEY,
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
    hours_east=8,
)  # fmt: skip

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
    hours_east=8,
)  # fmt: skip

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
    hours_east=8,
)  # fmt: skip

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
    hours_east=8,
)  # fmt: skip

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
    hours_east=8,
)  # fmt: skip

STEPFUN = Dialect(
    "stepfun",
    "StepFun, Error codes",
    words((REFUSED, "censorship_blocked content_censored request_blocked")),
    hosts=("stepfun.com", "stepfun.ai"),
    hours_east=8,
)  # fmt: skip

CHINA = (ZHIPU, MINIMAX, MOONSHOT, SILICONFLOW, SPARK, STEPFUN)
