"""A LangChain chain that survives its keys, on a provider simulated on this machine.

pip install 'langchain-sparekey[openai]' 'sparekey[simulator]'
python examples/langchain_chat.py
"""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

import sparekey as sk
from langchain_sparekey import ChatSparekey
from sparekey.simulator import Simulator

KEYS = {
    "sk-throttled-0123456789": {"kind": "rate_limited", "retry_after": 20},
    "sk-revoked-0123456789": "revoked",
    "sk-unpaid-0123456789": "no_credit",
    "sk-good-0123456789": "healthy",
}


def report(attempt: sk.Attempt) -> None:
    """Print what came of one attempt."""
    outcome = attempt.reason or "answered"
    print(f"    {attempt.candidate.name}: {'passed over, ' if attempt.skipped else ''}{outcome}")


def main() -> None:
    """Ask twice, once as a stream, then once more when every key is dead."""
    with Simulator(KEYS, reply="Paris.") as provider:
        llm = ChatSparekey(
            model="openai/gpt-4o",
            api_keys=list(KEYS),
            api_base=provider.base_url,  # leave it out to ask OpenAI itself
            temperature=0,
            on_attempt=report,
        )
        chain = ChatPromptTemplate.from_template("What is the capital of {country}?") | llm | StrOutputParser()

        print("The first request meets every dead key once:")
        print(f"  {chain.invoke({'country': 'France'})}")

        print("The second, a stream, knows them:")
        print("  " + "".join(chain.stream({"country": "France"})))

        print("And when the last key is revoked:")
        provider.set("sk-good-0123456789", "revoked")
        try:
            chain.invoke({"country": "France"})
        except sk.FallbackExhaustedError as error:
            print(error)
            print(f"Come back in {error.retry_after:.0f} seconds.")


if __name__ == "__main__":
    main()
