"""What sentences about the caller, the request, the place and the money mean.

The rest is in :mod:`.english_limits`. The first row that matches wins, so order is meaning. `within` names
the families (of status or code) under which a row is believed: under a 429 "too many tokens" is a quota,
under a 400 it is a prompt.
"""

from __future__ import annotations

from sparekey._classify.findings import (
    ABORTED,
    BAD_KEY,
    BLOCKED,
    CROWDED,
    KEY_CAP,
    MALFORMED,
    NO_ACCESS,
    NO_MODEL,
    REFUSED,
    THROTTLED,
    TOO_LONG,
    UNFIT,
    UNPAID,
    Family,
)
from sparekey._classify.sayings import ANY, Row, row

_F = Family
_ASKED = (None, _F.REQUEST, _F.SIZE, _F.SERVER, _F.GATEWAY, _F.BUSY)
"""Families that may hide a complaint about the request."""
_NAMING = (None, _F.REQUEST, _F.KEY, _F.ACCESS, _F.MISSING, _F.SERVER, _F.BUSY, _F.GATEWAY)
"""Families under which a sentence about a model is about its name or who may use it."""

CALLER: tuple[Row, ...] = (
    row(ABORTED, """
        request was aborted | request aborted | operation was aborted | aborted by the client | user aborted
    """, (None,)),
    # A client that refuses to send says how long it would have taken; nothing has timed out.
    row(UNFIT, """
        streaming is required for operations | streaming is strongly recommended for operations
        only support* stream mode | does not support http call
    """),
    row(MALFORMED, "invalid url", (_F.MISSING, None)),
    # What could not be fetched for the request belongs to the request.
    row(MALFORMED, """
        while downloading | failed to download | unable to download | could not download
        failed to fetch image | failed to fetch the image | error fetching image | unable to fetch
        invalid image | could not process image
    """, (None, _F.REQUEST)),
)  # fmt: skip

CONTENT: tuple[Row, ...] = (
    row(REFUSED, """
        content management policy | content filtering policy | content filtering policies | content policy
        content policies | usage policy | usage policies | use policy | prohibited use | responsible ai
        responsibleaipolicyviolation | blocked by content filter* | content filter was triggered
        output blocked by | response was filtered | output was filtered | prompt was filtered
        considered high risk | content exists risk | high risk content | contain* sensitive
        includes sensitive | sensitive content | sensitive information | sensitive words
        inappropriate content | prohibited content | harmful content | unsafe content | content moderation
        moderation blocked | flagged by … moderation | requires moderation | input was flagged
        prompt was flagged | content was flagged | flagged as potentially | prompt was blocked
        blocked prompt | response was blocked | content blocked | content is blocked
        blocked content | candidate was blocked
        data inspection | may contain inappropriate | safety | violates our | violate our | against our
        guidelines | prohibited words | cybersecurity risk | trusted access for | guardrail intervened
        guardrail violat* | content security | jailbreak
    """, ANY - {_F.LIMIT, _F.MONEY}),
)  # fmt: skip

SIZE: tuple[Row, ...] = (
    # One request above a per-minute quota is a quota: on a higher tier it fits.
    row(THROTTLED, """
        tokens per min* | token per min* | tokens per day | tokens per hour | tokens per second
        tokens per month | tpm limit* | tpm rate limit | limit on tpm | tokens min tpm | rate limit … tokens
        too many tokens please wait
    """),
    # Above a cap of this tier, which is smaller than the model's window.
    row(KEY_CAP, """
        request body too large for … max size
    """, (None, _F.SIZE)),
    row(MALFORMED, """
        function name … string too long | tools … string too long | metadata … string too long
    """, _ASKED),
    row(TOO_LONG, "max tokens must be at least 1 got | string too long", _ASKED),
    row(UNFIT, """
        max tokens … must be less than | max tokens … less than or equal | max tokens … cannot exceed
        max tokens … at most | max tokens … out of range | range of max tokens
        maximum value for max tokens
    """, _ASKED),
    row(TOO_LONG, """
        prompt is too long | prompt too long | prompt is too large | prompt exceed*
        prompt length … exceed* | prompt tokens … must be less than | prompt contains … tokens which exceeds
        tokens in prompt | reduce your prompt | input is too long | input too long | inputs too long
        input length too long | input is too large | input token count | input token limit
        input length … exceed* | input tokens … exceed* | input exceeds | maximum input length
        max input length | max input tokens | range of input length | input is longer than
        too many input tokens | input text … too long | input must have less than | context length
        context window | context size | context limit* | maximum context | max context | max message tokens
        exceed* … context | context exceed* | context overflow | context … too long
        larger than the … context | contextwindowexceeded | model token limit | model s token limit
        longer than the model | model max length | maximum sequence length | max sequence length
        max seq len | must be less than max seq | maximum prompt length | reduce the length of
        reduce the number of messages | reduce the size of your | reduce your message size | shorten your
        shorten the input | shorten the prompt | conversation is too long | conversation too long
        messages … too long | message length exceed* | message is too long | too many tokens
        too many total text bytes | exceed* the maximum … tokens | exceed* max … tokens | slot context
        expected maxlength | current length is | exceed* the model s max* | exceed* the token limit
        exceed* token limit | token limit exceeded | token count … exceed* | total tokens … exceed*
        max new tokens must be | maximum number of tokens allowed | maximum tokens allowed
        request exceeds the maximum size | request too large | request is too large
        request entity too large | payload too large
    """, _ASKED),
    # An output longer than this model writes.
    row(UNFIT, """
        max tokens … too large | max tokens … exceed* | max tokens … must be | max tokens … maximum
        max tokens value | max completion tokens … too large | max output tokens … exceed*
        max output tokens … must be | maximum tokens you requested exceed*
        maximum allowed number of output tokens | completion tokens whereas you provided
    """, _ASKED),
    row(TOO_LONG, """
        tokens … exceed* | exceed* … tokens | tokens … greater than | tokens … larger than
        tokens … more than | too large … tokens | tokens … but the model | token limit | maximum token*
        tokens limit | length … exceed* | exceed* … length | should not exceed | length limit
        maximum length | maximum size
    """, (_F.REQUEST, _F.SIZE)),
)  # fmt: skip

PLACE: tuple[Row, ...] = (
    row(BAD_KEY, """
        user location is not supported … without a billing account | free tier is not available in your
    """),
    row(BLOCKED, """
        country … not supported | countries … not supported | unsupported countr* | unsupported region*
        region is not supported | region not supported | location is not supported | location not supported
        not available in your country | not available in your region | not available in your location
        not available in the current region | not available in this region | not supported in your region
        not supported in your country | model access is not allowed from | not allowed from unsupported
        restricted region | geographic restriction* | geo blocked | access from your region
        your region is not | virtual network | firewall rules | private endpoint | public network access
        public access is disabled | ip address … not allowed | ip … not in … whitelist
        ip … not in … allowlist | ip whitelist | ip allowlist | ip not allowed | allowed ip*
        not allowed from this ip | not authorized from this ip | ip has been blocked | ip address … blocked
        your ip … blocked | blocked … your ip | approved ip ranges | client ip | error code 1020
        error code 1006 | error code 1007 | error code 1008 | error code 1009 | error code 1010
        you have been blocked | attention required cloudflare | just a moment
        enable javascript and cookies | verify you are human | vpc service controls
        prohibited by organization s policy | api keys are not supported by this api
    """),
)  # fmt: skip

MONEY: tuple[Row, ...] = (
    row(CROWDED, "rate limited upstream | upstream rate limit* | shared pool", ANY - {_F.MONEY}),
    # Azure's word for a key, and a time from those who let one in again
    row(BAD_KEY, "subscription key | access denied due to invalid"),
    row(THROTTLED, """
        allocated quota exceeded | requests throttling triggered | global rate limit | rate limit … reset
        rate limit … try again | hit a rate limit | wait … seconds | wait … minutes | wait … hours
        wait … before | error code 1015
    """, ANY - {_F.SERVER, _F.BUSY, _F.GATEWAY, _F.SLOW}),
    # A quota with a metric, a period or a refill is a throttle, whatever it goes on to say of billing.
    row(THROTTLED, """
        quota exceeded for metric | quota exceeded for quota metric | current quota … retry in
        requests per min* | request per min* | requests per second | per day | per hour | per minute
        per week | per month | calls month | api calls … month | daily request limit | daily quota
        daily limit | daily free | daily usage | daily rate | day request limit | free models per
        weekly usage | weekly quota | weekly … limit | 5 hour | five hour | hourly | resets at | resets in
        resets on | reset at | reset in | reset after | will reset | limit resets | quota resets
        usage limit | session limit | hit your limit | exhausted your capacity | used up your daily
        max concurrent | maximum concurrent | concurrency | concurrent request* | fair use | fair usage
        too quickly | too frequent* | requests rate | request rate
    """, ANY - {_F.MONEY}),
    # Under a 402, only a window that refills.
    row(THROTTLED, """
        rate limit* | usage limit … try again | usage limit … reset* | quota … refresh | quota … reset*
        requests per min* | rolling … window | retry after … seconds | try again in
    """, (_F.MONEY,)),
    row(THROTTLED, "rate limit* | rate limited | rate limits", (_F.LIMIT,)),
    row(UNPAID, """
        no quota | have no … quota | zero quota | premium requests | premium … quota | paid premium
        your points | not enough points | insufficient … points | credit card | payment card | card on file
        add a card | add a payment | pay as you go | no payment | billing details | billing information
        billing account | account is $0 | quota reached | token quota | account quota
        need a … subscription | needs a … subscription | requires a … subscription | no subscription
        without a subscription | used up | spent | out of quota | insufficient credit* | insufficient fund*
        insufficient quota | insufficient user quota | insufficient … balance | insufficient … credits
        insufficientquota | balance is insufficient | balance insufficient | balance is not enough
        balance not enough | not enough balance | not enough credit* | not enough quota | balance is too low
        balance too low | low balance | negative balance | zero balance | no balance | account balance
        credit balance | no credits | no remaining credit* | out of credit* | out of funds
        credits exhausted | credits have been exhausted | exhausted your credits | requires credits
        add credits | buy credits | purchase credits | purchase more | more credits | used all … credits
        key limit | any credits | no credit | credit limit | credits limit | credit grant | spending limit*
        spend limit | spending cap | spend cap | monthly spend* | included credits | monthly credits
        can only afford | budget has been exceeded | budget exceeded | exceeded … budget | over budget
        max budget | crossed budget | monthly budget | billing hard limit | billing soft limit
        billing limit | hard limit has been reached | billing is not active | billing not active
        billing is disabled | billing disabled | billing to be enabled | billing must be enabled
        billing has not been enabled | enable billing | billing not enabled | check your billing
        billing cycle | payment required | payment method | payment failed | requires payment | unpaid
        past due | overdue | arrears | arrearage | top up | topup | recharge | refill | prepaid | prepayment
        depleted | exceeded your current quota | exceeded your current usage quota | exceeded current quota
        free quota | quota is not enough | quota not enough | remaining quota | quota exhausted | free trial
        trial … expired | trial … ended | free tier … exhausted | plan has expired | subscription … expired
        subscription has lapsed | subscription … inactive | no active subscription | no valid subscription
        requires an active subscription | have an active subscription | valid coding plan
        membership benefits | membership … expired | good standing | usage credits | extra usage
        specified api usage limits | wallet
    """, ANY - {_F.SIZE, _F.SLOW, _F.NETWORK}),
)  # fmt: skip

MODEL: tuple[Row, ...] = (
    row(UNFIT, """
        that support tool use | that support image input | does not support tool* | does not support image*
        does not support vision | does not support function* | does not support stream*
        does not support the | does not support assistant | do not support tools | doesn t support
        not support … input | image input … not supported | tool use … not supported | tools … not supported
        function calling … not supported | not supported with this model | not supported for this model
        not supported by this model | not supported in this model | deprecated for this model
        unsupported parameter | unsupported value | supported values are | unrecognized request argument
        unknown field | extra inputs are not | extra forbidden | extra fields not permitted
        parameter … not supported | not permitted for this model | max completion tokens instead
        only supports … output | not a chat model | only supported in v1 | does not support chat
        does not support generat* | does not support embedding* | budget tokens | thinking … not supported
        reasoning effort
    """, (None, _F.REQUEST, _F.MISSING, _F.SERVER, _F.GATEWAY)),
    row(NO_MODEL, """
        model … does not exist | model … doesn t exist | no such model | model … not found
        models … not found | model not exist
    """, _NAMING),
    row(NO_ACCESS, """
        on your … tier | for your … tier | your tier | your current tier | your current plan | your plan
        your subscription plan | not available on your … plan | not available for your … plan
        not available in your … plan | not included in your | not include … model | plan does not
        plan doesn t | upgrade to access | upgrade to use | requires a … plan | requires a paid
        only available on … plan | not enabled for | tier does not | does not include
    """, (_F.REQUEST, _F.KEY, _F.ACCESS, _F.MISSING, _F.SERVER)),
    row(NO_ACCESS, """
        not allowed to … model | when using … account | not permitted to … model | access to the model
        access to this model | access to model | access to the requested model | model access is denied
        model access denied | not authorized to use … model | not authorized to access … model
        no permission … model | permission to … model | requires … subscription | only available to … users
        not available for your account | not enabled for your … account | not enabled for this … account
        not available for your organization | not activated the model | has not activated
        activate the model | organization must be verified | must be verified to | gated
        agree to the … terms | accept the … terms | accept … license | agreed to … terms
        eligible for using the model | not eligible | matching your data policy | allowed providers
        guardrail restrictions and data policy | key not allowed to access | team not allowed to access
        tried to access | can only access models | integrator | use case details
    """, _NAMING),
    row(NO_MODEL, """
        model … not exist | unknown model | invalid model | not a valid model | model id … invalid
        model name … invalid | model … is invalid | invalid … model id | invalid … model name
        model disabled | model is disabled | model … deprecated | decommissioned | model … retired
        model … been removed | model … no longer | model … discontinued | model … end of life
        model … sunset | model … not available | model … isn t available | model … unavailable for
        model is offline | no endpoints found | no endpoint found | no allowed endpoints
        deployment … does not exist | deployment … not found | is not found for api version
        could not find model | could not find the model | unable to find model | cannot find model
        can t find model | couldn t find model | unsupported model | model … not supported
        model … isn t supported | on demand throughput | try pulling it | non serverless model
        not deployed | model … not loaded | available channel* for model | no available channel*
        model … cannot be found | not found for account
    """, _NAMING),
)  # fmt: skip
