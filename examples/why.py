"""Why: every decision can be explained, before it is made and after.

Runs against the simulator, so no key is needed: python examples/why.py
"""

import openai

import sparekey as sk
from sparekey.simulator import Simulator

# One line for each reason you see differently than the default policy does.
SETTINGS = {
    "attempt_timeout": 30,
    "reasons": {
        "billing": {"cooldown": 60},  # accounts are topped up quickly here
        "overloaded": "next_model",  # do not wait behind a busy model
        "context_overflow": "next_model",  # the fallback has a larger window
    },
}


def main() -> None:
    """Let everything fail, and read the error."""
    keys = {"sk-example-unpaid": "no_credit", "sk-example-busy": "overloaded", "sk-example-spare": "overloaded"}
    with Simulator(keys) as sim:
        models = sk.expand_model_list(
            [{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": list(keys), "api_base": sim.base_url}]
        )

        def ask(candidate: sk.Candidate) -> object:
            entry = sk.config_for(candidate, models)
            assert entry.api_key is not None
            key = entry.api_key.get_secret_value()
            with openai.OpenAI(api_key=key, base_url=entry.api_base, max_retries=0) as client:
                return client.models.with_raw_response.list()

        chain = sk.FallbackChain(policy=sk.policy_from(SETTINGS))
        try:
            chain.execute(sk.candidates_for("chat", models), ask)
        except sk.FallbackExhaustedError as error:
            print(error)
            print(f"come back in {error.retry_after:.0f} s")
            for attempt in error.attempts:
                print(attempt.candidate.name, attempt.reason, attempt.scope, attempt.cooldown, attempt.cooldown_from)
        for key, record in chain.tracker.snapshot().items():
            print(f"cooling: {key}, {record['reason']}, {record['remaining']:.0f} s")


if __name__ == "__main__":
    main()
