"""What providers' sentences mean, in Chinese. The first row that matches wins.

Phrases are parted by bars and line ends; one with ``…`` wants its parts in that order. Traditional
forms are turned into simplified ones first.
"""

from __future__ import annotations

import re

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

# The letters of these phrases that the two scripts write differently.
_TRADITIONAL = str.maketrans(
    "請額餘戶權網絡連線錯誤過輸內長數無認證鑰號繳費當負載後試飽頻務達選擇擴區",
    "请额余户权网络连线错误过输内长数无认证钥号缴费当负载后试饱频务达选择扩区",
)

_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_Rows = tuple[tuple[Finding, tuple[tuple[str, ...], ...]], ...]


def _table(*rows: tuple[Finding, str]) -> _Rows:
    return tuple((finding, _parted(phrases)) for finding, phrases in rows)


def _parted(phrases: str) -> tuple[tuple[str, ...], ...]:
    listed = (phrase.strip() for line in phrases.splitlines() for phrase in line.split("|"))
    return tuple(tuple(phrase.lower().split("…")) for phrase in listed if phrase)


CHINESE = _table(
    (BAD_KEY, "封禁 | 封号 | 冻结 | 账户…锁定 | 账号…锁定"),
    (REFUSED, """
        敏感 | 不安全 | 内容审核 | 内容安全 | 安全审核 | 审核不通过 | 审核未通过 | 风险内容 | 违法
        不合规 | 高风险 | 涉黄 | 涉政 | 政治 | 违规 | 违反…政策 | 涉及…内容
    """),
    (UNFIT, """
        不支持工具 | 不支持图片 | 不支持图像 | 不支持该参数 | 不支持流式 | 不支持函数 | 仅支持流式
        max_tokens…超
    """),
    (TOO_LONG, """
        上下文过长 | 上下文长度 | 上下文窗口 | 超出上下文 | 输入长度 | 提示词过长 | prompt过长
        内容过长 | 文本过长 | token数超 | token数量超 | tokens超 | token超 | 输入token | 字数超
        消息过长 | 超长 | 上下文…超 | 输入…过长 | 长度…超 | 超出…长度 | 超过…长度
    """),
    (BLOCKED, """
        所在地区 | 所在区域 | 地区不支持 | 不支持您所在 | 不支持该地区 | 不支持当前地区 | IP不在
        IP 不在 | ip白名单 | 网段 | IP 地址不
    """),
    (THROTTLED, """
        今日 | 明天 | 明日 | 每分钟 | 每秒 | 每天请求 | 当日 | 每日 | 日调用 | 调用次数 | 使用上限
        限额 | 小时额度 | 周额度 | 并发 | 频率 | 频繁 | 限流 | 限速 | 请求过快 | 请求过多 | 请求次数
        次数超限 | 太快 | QPS | RPM | TPM | 流控 | 将在…重置 | 每小时 | 每月 | 每周 | 超出配额
        配额超限 | 超过配额 | 请求配额 | 调用过快 | 速率 | 流量控制
    """),
    (UNPAID, """
        余额已 | 余额为 | 欠费 | 充值 | 配额不足 | 资源包 | 账户余额 | 未付款 | 续费 | 缴费
        预扣费额度失败 | 套餐已过期 | 订阅已过期 | 已到期 | 试用已 | 免费额度 | 剩余额度 | 令牌额度
        积分不足 | 额度…用完 | 额度…用尽 | 额度…耗尽 | 额度…不足 | 配额…用完 | 配额…耗尽 | 点数…不足
        余额…不足 | 费用不足 | 已欠
    """),
    (NO_ACCESS, """
        未开通 | 无权访问 | 无权使用 | 没有该模型 | 暂无权限 | 模型…权限 | 暂未开放 | 未授权模型
        套餐不支持 | 不在套餐 | 等级不足 | 无权…模型
    """),
    (NO_MODEL, """
        模型…不存在 | 未找到模型 | 找不到模型 | 模型…下线 | 不支持的模型 | 模型不支持 | 不支持该模型
        模型编码 | 模型名称错误 | 模型名字错误 | 可用渠道 | 无效的模型 | 模型…未找到 | 没有可用的渠道
        没有找到模型
    """),
    (BUSY, """
        负载已饱和 | 负载已满 | 负载过高 | 负载较高 | 过载 | 繁忙 | 访问量过大 | 访问量大 | 拥挤
        资源不足 | 算力不足 | 流量过大 | 模型正在加载 | 服务器忙 | 高峰 | 排队 | 服务器压力 | 系统忙
    """),
    (BAD_KEY, """
        密钥 | API Key | 无效的令牌 | 无效令牌 | 令牌已被 | 令牌状态 | 令牌不 | 鉴权 | 身份验证
        未授权 | 未登录 | 无效的token | token无效 | Token 非法 | Token非法 | Token 已过期
        Token 已失效 | token已过期 | 签名错误 | 验签 | 账号已被 | 账户已被 | 停用
        禁用 | 未提供令牌 | 重新登录 | 权限不足 | 无权进行 | 没有权限 | 无权限 | 账户异常 | 账号异常
        令牌…过期 | 令牌…无效 | 认证 | 凭证
    """),
    (SLOW, """
        超时
    """),
    (UNREACHABLE, """
        连接失败 | 连接错误 | 连接被 | 无法连接 | 连接中断 | 网络异常 | 网络连接 | 连接重置 | 断开连接
    """),
    (MALFORMED, """
        参数错误 | 参数有误 | 参数非法 | 参数无效 | 无效参数 | 格式错误 | 格式有误 | 参数不正确
        缺少参数 | 不合法 | 入参
    """),
)  # fmt: skip

CHINESE_LAST = _table(
    (BUSY, "稍后再试 | 稍后重试"),
    (BROKEN, """
        系统错误 | 内部错误 | 服务异常 | 服务错误 | 系统异常 | 未知错误 | 网络错误 | 服务不可用
        上游错误 | 服务器错误 | 请求失败 | 调用失败 | 接口异常
    """),
    (CROWDED, """
        无可用账号 | 没有可用账号
    """),
)  # fmt: skip
"""Words that say only that something failed: English in the same text is heard first, and so is a status."""


def has_chinese(text: str) -> bool:
    """Whether a text holds any ideograph."""
    return not text.isascii() and _IDEOGRAPH.search(text) is not None


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
