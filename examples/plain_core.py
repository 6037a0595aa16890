"""The core by itself: you make the call, sparekey decides whose turn it is.

Runs against the simulator, so no key is needed: python examples/plain_core.py
"""

import openai

import sparekey as sk
from sparekey.simulator import Simulator

KEYS = {
    "sk-example-throttled": {"kind": "rate_limited", "retry_after": 20},
    "sk-example-revoked": "revoked",
    "sk-example-healthy": "healthy",
}


def main() -> None:
    """Ask twice, and say what happened."""
    with Simulator(KEYS) as sim:
        models = sk.expand_model_list(
            [{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": list(KEYS), "api_base": sim.base_url}]
        )
        candidates = sk.candidates_for("chat", models)
        chain = sk.FallbackChain(policy=sk.Policy(max_wait=5, attempt_timeout=30))

        def ask(candidate: sk.Candidate) -> str | None:
            entry = sk.config_for(candidate, models)
            assert entry.api_key is not None
            with openai.OpenAI(
                api_key=entry.api_key.get_secret_value(),
                base_url=entry.api_base,
                max_retries=0,  # the spare is the retry
                timeout=sk.time_left(),
            ) as client:
                answer = client.chat.completions.create(
                    model=candidate.model, messages=[{"role": "user", "content": "Hello"}]
                )
            return answer.choices[0].message.content

        for number in (1, 2):
            result = chain.execute(candidates, ask, deadline=20)
            print(f"request {number}: {result.response}")
            for attempt in result.attempts:
                verb = "skipped" if attempt.skipped else "failed"
                print(f"  {attempt.candidate.name} {verb}: {attempt.reason}, {attempt.cooldown:.0f} s")


if __name__ == "__main__":
    main()
