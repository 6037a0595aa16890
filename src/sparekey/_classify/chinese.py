"""What providers' sentences mean, in Chinese. The first row that matches wins; every phrase is looked for as it stands.

A phrase with ``…`` wants its parts in that order. Simplified forms only: traditional ones are turned into them first.
"""

from __future__ import annotations

from sparekey._classify.findings import (
    BAD_KEY,
    BLOCKED,
    BROKEN,
    BUSY,
    CROWDED,
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
    Finding,
)

_TRADITIONAL = str.maketrans("請額餘戶權網絡連線錯誤過請輸內長數無認證鑰號繳費當負載後試飽頻務達選擇擴區",
                             "请额余户权网络连线错误过请输内长数无认证钥号缴费当负载后试饱频务达选择扩区")  # fmt: skip

_ROWS: tuple[tuple[Finding, str], ...] = (
    (REFUSED, "敏感 不安全 违规内容 内容违规 内容审核 内容安全 安全审核 审核不通过 审核未通过 风险内容 违法 不合规 高风险 涉黄 涉政 政治"),
    (UNFIT, "不支持工具 不支持图片 不支持图像 不支持该参数 不支持流式 不支持函数 仅支持流式 max_tokens…超"),
    (TOO_LONG, "上下文过长 上下文长度 上下文窗口 超出上下文 上下文超 输入过长 输入长度 提示词过长 prompt过长 内容过长 文本过长 长度超 "
               "超出最大长度 超过最大长度 token数超 token数量超 tokens超 token超 输入token 字数超 消息过长 prompt超长 输入超长 Prompt 超长 超长"),
    (BLOCKED, "所在地区 所在区域 地区不支持 不支持您所在 不支持该地区 不支持当前地区 IP不在 IP 不在 ip白名单 IP白名单 网段 IP 地址不"),
    (THROTTLED, "每分钟 每秒 每天请求 今日调用 今日额度 当日 每日 日调用 调用次数 使用上限 限额将在 限额 小时额度 周额度 周限额 并发 频率 频繁 "
                "限流 限速 速率限制 请求过快 请求过多 请求次数 次数超限 太快 过于频繁 QPS RPM TPM 流控 额度将在…重置 将在…重置"),
    (UNPAID, "余额不足 余额已 余额为 欠费 充值 额度不足 额度已用尽 额度已用完 额度用尽 额度耗尽 配额不足 资源包 账户余额 未付款 续费 "
             "缴费 预扣费额度失败 套餐已过期 套餐已到期 订阅已过期 订阅已到期 已到期 试用已 免费额度 剩余额度 令牌额度 点数不足 积分不足"),
    (NO_ACCESS, "套餐暂未开放 未开通模型 未开通 无权限访问模型 无权访问模型 无权使用模型 无权访问 无权使用 没有模型权限 没有该模型 暂无权限 "
                "模型…权限 暂未开放 未授权模型 套餐不支持 不在套餐 等级不足"),
    (NO_MODEL, "模型不存在 模型…不存在 模型未找到 未找到模型 找不到模型 模型已下线 模型…下线 不支持的模型 模型不支持 不支持该模型 "
               "模型编码 模型名称错误 模型名字错误 无可用渠道 可用渠道 无效的模型"),
    (BUSY, "负载已饱和 负载已满 负载过高 负载较高 过载 繁忙 访问量过大 访问量大 拥挤 资源不足 算力不足 流量过大 模型正在加载 请稍后再试 服务器忙 高峰 排队"),
    (BAD_KEY, "密钥 API Key 无效的令牌 无效令牌 令牌无效 令牌已过期 令牌已被 令牌状态 令牌不 令牌过期 鉴权 认证失败 认证错误 身份验证 身份认证 "
              "未授权 未登录 无效的token token无效 Token 非法 Token非法 Token 已过期 Token 已失效 token已过期 签名错误 验签 账户已被锁定 账号已被 账户已被 "
              "用户已被封禁 封禁 封号 冻结 停用 禁用 未提供令牌 重新登录 权限不足 无权进行 没有权限 无权限 账户异常 账号异常"),
    (SLOW, "超时"),
    (UNREACHABLE, "连接失败 连接错误 连接被 无法连接 连接中断 网络异常 网络连接 连接重置 断开连接"),
    (MALFORMED, "参数错误 参数有误 参数非法 参数无效 无效参数 格式错误 格式有误 参数不正确 缺少参数 不合法 入参"),
)  # fmt: skip


_LAST_ROWS: tuple[tuple[Finding, str], ...] = (
    (BROKEN, "系统错误 内部错误 服务异常 服务错误 系统异常 未知错误 网络错误 服务不可用 上游错误 服务器错误 请求失败 调用失败 接口异常"),
    (CROWDED, "无可用账号 没有可用账号"),
)  # fmt: skip
"""Words that say only that something failed: English in the same text is heard first."""


def _parted(phrases: str) -> tuple[tuple[str, ...], ...]:
    # A space before an ASCII word belongs to the phrase ("API Key", "Token 非法"); any other parts two phrases.
    found: list[str] = []
    for piece in phrases.split(" "):
        glued = found and (found[-1] in _HALVES)
        if glued:
            found[-1] = f"{found[-1]} {piece}"
        elif piece:
            found.append(piece)
    return tuple(tuple(part.lower().split("…")) for part in found)


_HALVES = {"API", "Token", "IP", "Prompt"}


_Rows = tuple[tuple[Finding, tuple[tuple[str, ...], ...]], ...]


def _table(rows: tuple[tuple[Finding, str], ...]) -> _Rows:
    return tuple((finding, _parted(phrases)) for finding, phrases in rows)


CHINESE = _table(_ROWS)
CHINESE_LAST = _table(_LAST_ROWS)


def has_chinese(text: str) -> bool:
    """Whether a text holds any ideograph."""
    return not text.isascii() and any("\u4e00" <= letter <= "\u9fff" for letter in text)


def find_chinese(text: str, rows: _Rows = CHINESE) -> Finding | None:
    """The finding of the first row that `text` says."""
    text = text[:1500].translate(_TRADITIONAL).lower()  # ideographs are terse: what is said is said by then
    for finding, phrases in rows:
        for parts in phrases:
            at = 0
            for part in parts:
                at = text.find(part, at)
                if at < 0:
                    break
                at += len(part)
            else:
                return finding
    return None
