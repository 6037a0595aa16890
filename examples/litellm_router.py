"""A LiteLLM router whose keys die one after the other, and what its client sees of it: answers.

Runs offline: the provider is simulated on this machine. Needs the packages ``litellm-sparekey``
and ``sparekey[simulator]``.
"""

from __future__ import annotations

import os

# Or importing LiteLLM fetches its price map from the network.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm

import sparekey as sk
from litellm_sparekey import expand_model_list, install
from sparekey.simulator import Simulator

litellm.suppress_debug_info = True
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


def tell(attempt: sk.Attempt) -> None:
    """One line for each attempt, as it ends."""
    how = "skipped" if attempt.skipped else "failed " if attempt.error else "answers"
    cools = f", cools for {attempt.cooldown:.0f} s" if attempt.cooldown else ""
    print(f"   {how}  {attempt.candidate.name}  {attempt.reason or ''}{cools}")


def main() -> None:
    """Three requests: keys are found dead, are known to be dead, and are all dead."""
    provider = Simulator(
        {
            "sk-example-throttled": {"kind": "rate_limited", "retry_after": 20},
            "sk-example-revoked": "revoked",
            "sk-example-working": ["healthy", "healthy", "no_credit"],
            "sk-example-other-model": "healthy",
        }
    )
    with provider:
        router = litellm.Router(
            model_list=expand_model_list(
                [
                    {
                        "model_name": "chat",
                        "litellm_params": {
                            "model": "openai/gpt-4o",
                            "api_base": provider.base_url,
                            "api_keys": ["sk-example-throttled", "sk-example-revoked", "sk-example-working"],
                        },
                    },
                    {
                        "model_name": "backup",
                        "litellm_params": {
                            "model": "openai/gpt-4o-mini",
                            "api_base": provider.base_url,
                            "api_key": "sk-example-other-model",
                        },
                    },
                ]
            ),
            fallbacks=[{"chat": ["backup"]}],
        )
        strategy = install(router, on_attempt=tell)

        for number in (1, 2, 3):
            print(f"request {number}")
            answer = router.completion("chat", MESSAGES)
            print(f"   {answer.choices[0].message.content}")

        print("cooling now")
        for record, state in strategy.tracker.snapshot().items():
            print(f"   {record}: {state['reason']}, {state['remaining']:.0f} s")


if __name__ == "__main__":
    main()
