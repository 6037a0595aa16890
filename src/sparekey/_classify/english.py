"""What sentences about the caller, the request, the place and the money mean. See :mod:`.english_limits` for the rest.

The first row that matches wins, so order is meaning. `within` names the families (of status or code) under which a row
is believed: under a 429 "too many tokens" is a quota, under a 400 it is a prompt.
"""

from __future__ import annotations

from sparekey._classify.findings import (
    ABORTED,
    BAD_KEY,
    BLOCKED,
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
    # What could not be fetched for the request belongs to the request.
    row(MALFORMED, """
        while downloading | failed to download | unable to download | could not download | failed to fetch image
        failed to fetch the image | error fetching image | unable to fetch | invalid image | could not process image
    """, (None, _F.REQUEST)),
)  # fmt: skip

CONTENT: tuple[Row, ...] = (
    row(REFUSED, """
        content management policy | content filtering policy | content filtering policies | content policy
        content policies | usage policy | usage policies | use policy | prohibited use | safety system | safety polic*
        responsible ai | responsibleaipolicyviolation | blocked by content filter* | content filter was triggered
        output blocked by | response was filtered | output was filtered | prompt was filtered
        considered high risk | content exists risk | high risk content | may contain sensitive | contain* sensitive
        includes sensitive | sensitive content | sensitive information | sensitive words | inappropriate content
        prohibited content | harmful content | unsafe content | content moderation | moderation blocked
        flagged by … moderation | requires moderation | input was flagged | prompt was flagged | content was flagged
        flagged as potentially | blocked due to safety | blocked for … safety | blocked because of safety
        prompt was blocked | blocked prompt | response was blocked | content blocked | content is blocked
        candidate was blocked | finish reason safety | data inspection | may contain inappropriate
        guardrail intervened | guardrail violat* | content security | jailbreak
    """, ANY - {_F.LIMIT, _F.MONEY}),
)  # fmt: skip

SIZE: tuple[Row, ...] = (
    # One request above a per-minute quota is a quota: on a higher tier it fits.
    row(THROTTLED, """
        tokens per min* | token per min* | tokens per day | tokens per hour | tokens per second | tokens per month
        tpm limit* | tpm rate limit | limit on tpm | tokens min tpm | rate limit … tokens
        too many tokens please wait | too many tokens per day
    """),
    # Above a cap of this tier, which is smaller than the model's window.
    row(KEY_CAP, """
        request body too large for … max size
    """, (None, _F.SIZE)),
    row(TOO_LONG, "max tokens must be at least 1 got", _ASKED),
    row(UNFIT, """
        max tokens … must be less than | max tokens … less than or equal | max tokens … cannot exceed | max tokens … at most
        max tokens … out of range | range of max tokens | maximum value for max tokens
    """, _ASKED),
    row(TOO_LONG, """
        prompt is too long | prompt too long | prompt is too large | prompt exceed* | prompt length … exceed*
        prompt tokens … must be less than | prompt contains … tokens which exceeds | tokens in prompt | reduce your prompt
        input is too long | input too long | inputs too long | input length too long | input is too large | input tokens exceed*
        input token count | input token limit | input length … exceed* | input tokens … exceed* | input exceeds
        maximum input length | max input length | max input tokens | range of input length | input is longer than
        number of input tokens … exceed* | too many input tokens | input text … too long | input must have less than
        context length | context window | context size | context limit* | maximum context | max context | max message tokens
        exceed* … context | context exceed* | context overflow | context … too long | larger than the … context
        contextwindowexceeded | model token limit | model s token limit | longer than the model | model max length
        maximum sequence length | max sequence length | max seq len | must be less than max seq | maximum prompt length
        reduce the length of | reduce the number of messages | reduce the size of your | reduce your message size
        shorten your | shorten the input | shorten the prompt | conversation is too long | conversation too long
        messages … too long | message length exceed* | message is too long | too many tokens | too many total text bytes
        tokens … exceed* the limit | tokens exceed* | exceed* the maximum … tokens | exceed* max … tokens
        exceed* the maximum number of tokens | exceed* the model s max* | exceed* the token limit | exceed* token limit
        token limit exceeded | token count … exceed* | total tokens … exceed* | max new tokens must be
        maximum number of tokens allowed | maximum tokens allowed | request exceeds the maximum size
        request too large | request is too large | request entity too large | payload too large
    """, _ASKED),
    # An output longer than this model writes.
    row(UNFIT, """
        max tokens … too large | max tokens … exceed* | max tokens … must be | max tokens … maximum | max tokens value
        max completion tokens … too large | max output tokens … exceed* | max output tokens … must be
        maximum tokens you requested exceed* | maximum allowed number of output tokens
        completion tokens whereas you provided
    """, _ASKED),
)  # fmt: skip

PLACE: tuple[Row, ...] = (
    row(BAD_KEY, "user location is not supported … without a billing account"),
    row(BLOCKED, """
        country region or territory not supported | country … not supported | countries … not supported | unsupported countr*
        unsupported region* | region is not supported | region not supported | location is not supported
        location not supported | not available in your country | not available in your region | not available in your location
        not available in the current region | not available in this region | not supported in your region
        not supported in your country | model access is not allowed from | not allowed from unsupported | restricted region
        geographic restriction* | geo blocked | access from your region | your region is not
        virtual network | firewall rules | private endpoint | public network access | public access is disabled
        ip address … not allowed | ip … not in … whitelist | ip … not in … allowlist | ip whitelist | ip allowlist
        ip not allowed | allowed ip* | not allowed from this ip | not authorized from this ip | ip has been blocked
        ip address … blocked | your ip … blocked | blocked … your ip | approved ip ranges | client ip
        you have been blocked | attention required cloudflare | just a moment | enable javascript and cookies
        verify you are human | vpc service controls | prohibited by organization s policy
        api keys are not supported by this api
    """),
)  # fmt: skip

MONEY: tuple[Row, ...] = (
    # A quota with a metric, a period or a refill is a throttle, whatever it goes on to say of billing.
    row(THROTTLED, """
        quota exceeded for metric | quota exceeded for quota metric | current quota … retry in
        requests per min* | request per min* | requests per second
        per day | per hour | per minute | per week | per month | calls month | api calls … month | daily request limit | daily quota | daily limit | daily free
        daily usage | daily rate | day request limit | per day limit* | per day reached | free models per | weekly limit
        weekly usage | weekly quota | weekly … limit | 5 hour | five hour | hourly | usage limit … reset* | usage limit … try again
        quota will reset | limit will reset | limit resets | quota resets | usage limit | session limit | hit your limit
        allocated quota exceeded | requests throttling triggered | exhausted your capacity | used up your daily
        max concurrent | maximum concurrent | concurrency | concurrent request* | fair use | fair usage | too quickly
        too frequent* | requests rate | request rate
    """, ANY - {_F.MONEY}),
    # Under a 402, only a window that refills.
    row(THROTTLED, """
        usage limit … try again | usage limit … reset* | quota … refresh | quota … reset* | requests per min* | rolling … window
        retry after … seconds | try again in
    """, (_F.MONEY,)),
    row(UNPAID, """
        insufficient balance | insufficient credit* | insufficient fund* | insufficient account balance | insufficient quota
        insufficient user quota | insufficient … balance | insufficient … credits | insufficientquota
        balance is insufficient | balance insufficient | balance is not enough | balance not enough | not enough balance
        not enough credit* | not enough quota | balance is too low | balance too low | low balance | negative balance | zero balance
        no balance | account balance | credit balance | no credits | no remaining credit* | no more credits | out of credit* | out of funds
        credits exhausted | credits have been exhausted | exhausted your credits | credits … used up | credits … depleted
        run out of credits | ran out of credits | run out of funds | requires more credits | requires credits | add credits
        buy credits | purchase credits | purchase more | more credits | used all available credits | used all … credits
        key limit | any credits | credit limit | credits limit | credit grant | spending limit* | spend limit | spending cap | spend cap | monthly spend*
        included credits | monthly credits | can only afford | budget has been exceeded | exceeded budget | budget exceeded
        exceeded … budget | over budget | max budget | crossed budget | monthly budget
        billing hard limit | billing soft limit | billing limit | hard limit has been reached | billing is not active
        billing not active | billing is disabled | billing disabled | billing to be enabled | billing must be enabled
        billing has not been enabled | enable billing | billing not enabled | billing account … disabled | check your billing
        billing cycle | payment required | payment method | payment failed | requires payment | unpaid | past due | overdue
        in arrears | arrears | arrearage | top up | topup | recharge | refill | prepaid | prepayment | depleted
        exceeded your current quota | exceeded your current usage quota | exceeded current quota | quota has been used up
        free quota | token quota … exhausted | quota is not enough | quota not enough | remaining quota | quota exhausted
        free trial | trial … expired | trial has ended | trial … ended | free tier … exhausted | plan has expired
        subscription has expired | subscription … expired | subscription expired | subscription has lapsed | subscription … inactive
        no active subscription | no valid subscription | requires an active subscription | have an active subscription
        valid coding plan | membership benefits
        membership … expired | good standing | usage credits | extra usage | specified api usage limits | wallet
    """, ANY - {_F.SIZE, _F.SLOW, _F.NETWORK}),
)  # fmt: skip

MODEL: tuple[Row, ...] = (
    row(UNFIT, """
        that support tool use | that support image input | does not support tool* | does not support image*
        does not support vision | does not support function* | does not support stream* | does not support the
        does not support assistant | do not support tools | doesn t support | not support … input | image input … not supported
        tool use … not supported | tools … not supported | function calling … not supported | not supported with this model
        not supported for this model | not supported by this model | not supported in this model | deprecated for this model
        unsupported parameter | unsupported value | supported values are | unrecognized request argument | unknown field
        extra inputs are not | extra forbidden | extra fields not permitted | parameter … not supported | not permitted for this model
        max completion tokens instead | only supports … output | not a chat model | only supported in v1
        does not support chat | does not support generat* | does not support embedding*
        budget tokens | thinking … not supported | reasoning effort
    """, (None, _F.REQUEST, _F.MISSING, _F.SERVER, _F.GATEWAY)),
    row(NO_MODEL, """
        model … does not exist | model … doesn t exist | no such model | model … not found | models … not found | model not exist
    """, _NAMING),
    row(NO_ACCESS, """
        on your … tier | for your … tier | your tier | your current tier | your current plan | your plan | your subscription plan
        have access to the model | have access to this model | have access to model | has access to model | access to the model
        access to this model | access to model | access to the requested model | model access is denied | model access denied
        not authorized to use … model | not authorized to access … model | not allowed to access … model
        not allowed to use … model | not permitted to use … model | no permission … model | permission to … model
        not available on your … plan | not available for your … plan | not available in your … plan | not included in your
        not include … model | plan does not | plan doesn t | upgrade your plan | upgrade to access | upgrade to use
        requires a … plan | requires a paid | requires a subscription | requires … subscription | only available to … users
        only available on … plan | not available for your account | not enabled for your … account | not enabled for this … account
        not available for your organization | not activated the model | has not activated | activate the model
        organization must be verified | must be verified to | gated | agree to the … terms | accept the … terms
        accept … license | agreed to … terms | eligible for using the model | not eligible
        matching your data policy | no allowed providers | allowed providers | guardrail restrictions and data policy
        key not allowed to access | team not allowed to access | tried to access | can only access models
        integrator | use case details
    """, _NAMING),
    row(NO_MODEL, """
        model … not exist | unknown model | invalid model | is not a valid model | not a valid model | model identifier is invalid
        model id … invalid | model name … invalid | model … is invalid | invalid … model id | invalid … model name
        model disabled | model is disabled | model … has been deprecated | model … deprecated | decommissioned | model … retired | model … been removed
        model … no longer | model … discontinued | model … end of life | model … sunset | model … is not available
        model … not available | model … isn t available | model … unavailable for | model is offline
        no endpoints found | no endpoint found | no allowed endpoints | deployment … does not exist | deployment not found
        deployment … not found | is not found for api version | could not find model | could not find the model
        unable to find model | cannot find model | can t find model | couldn t find model | unsupported model
        model … is not supported | model … not supported | model … isn t supported | on demand throughput | try pulling it
        non serverless model | not deployed | model … not loaded | model … not exist | available channel* for model
        no available channel* | model … cannot be found | function … not found for account | not found for account
    """, _NAMING),
)  # fmt: skip
