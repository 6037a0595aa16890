"""What a failure does to the walk, and what it cools."""

from __future__ import annotations

from sparekey._memory import Memory
from sparekey._policy import Action, Policy
from sparekey._types import Attempt, Candidate, Reason, Scope, Source, Verdict

ANOTHER_KEY = frozenset({Reason.AUTH, Reason.BILLING, Reason.RATE_LIMIT, Reason.MODEL_NOT_FOUND})
"""Reasons that other keys of a model usually survive, so that a verdict to the contrary is worth heeding."""


def judge(
    verdict: Verdict | None,
    candidate: Candidate,
    error: BaseException,
    policy: Policy,
    memory: Memory,
    *,
    started_at: float,
    now: float,
) -> tuple[Action, Attempt]:
    """The action, and the record of the attempt; what is to cool is cooled here."""
    took = max(0.0, now - started_at)
    if verdict is None:
        return policy.unclassified, Attempt(candidate, error, None, took)
    if verdict.blameless:
        return Action.NEXT_CANDIDATE, Attempt(candidate, error, verdict.reason, took, skipped=True)
    rule = policy.rule(verdict.reason)
    reason = rule.reads_as or verdict.reason
    attempt = Attempt(candidate, error, reason, took)
    if rule.action is Action.STOP:
        return Action.STOP, attempt
    if policy.believes_provider and verdict.reason in ANOTHER_KEY and not verdict.other_key_helps:
        # The table says another key may help, the provider that none can: it is not this key's fault.
        return Action.NEXT_MODEL, attempt
    if rule.ladder is None or not policy.remembers:
        return rule.action, attempt
    scope = _really(candidate, rule.scope)
    opened = memory.open(
        candidate.scope_id(scope),
        reason,
        policy,
        now=now,
        started_at=started_at,
        retry_after=verdict.retry_after,
    )
    source: Source = "provider" if opened.hinted else "ladder"
    cooldown = max(0.0, opened.until - now)
    return rule.action, attempt._replace(scope=scope, cooldown=cooldown, cooldown_from=source)


def sickened(reason: Reason, candidate: Candidate, before: tuple[Reason, Candidate] | None) -> str | None:
    """The endpoint record that a second failure in a row opens, or None.

    Two credentials of one endpoint that fail one after the other with trouble of the endpoint's own
    kind are evidence against it: for this model, or, when it cannot be reached, for all.
    """
    if before is None or candidate.scope_id(Scope.CREDENTIAL) == before[1].scope_id(Scope.CREDENTIAL):
        return None
    for kinds, i in ((_MODEL_TROUBLE, 0), (_REACH_TROUBLE, 1)):
        if reason in kinds and before[0] in kinds and candidate.endpoints[i] == before[1].endpoints[i]:
            return candidate.endpoints[i]
    return None


_MODEL_TROUBLE = frozenset({Reason.OVERLOADED, Reason.TIMEOUT, Reason.SERVER_ERROR})
_REACH_TROUBLE = frozenset({Reason.NETWORK})


def _really(candidate: Candidate, scope: Scope) -> Scope:
    """The scope that is cooled: without an account, or a credential, it is the candidate alone."""
    if (scope is Scope.ACCOUNT and not candidate.account) or (scope is Scope.CREDENTIAL and not candidate.credential):
        return Scope.CANDIDATE
    return scope
