"""An agent with a tool and a typed report, whose first provider fails while it works.

pip install 'langchain-sparekey[openai,anthropic]' langchain 'sparekey[simulator]'
python examples/langchain_agent.py
"""

from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey import ChatSparekey
from sparekey.simulator import Simulator

OPENAI, CLAUDE = "sk-openai-0123456789", "sk-claude-0123456789"


class Report(BaseModel):
    """A report on the weather."""

    place: str


def get_weather(place: str) -> str:
    """Get the weather of a place."""
    return f"Sunny in {place}."


def main() -> None:
    """OpenAI's key serves one call and has then no credit left; Claude's takes over within the run."""
    with Simulator({OPENAI: ["healthy", "no_credit"], CLAUDE: "healthy"}) as provider:
        llm = ChatSparekey(
            model="chat",
            model_list=[
                {
                    "model_name": "chat",
                    "model": "openai/gpt-4o",
                    "api_key": OPENAI,
                    "api_base": provider.base_url,
                    "fallbacks": ["claude"],
                },
                {
                    "model_name": "claude",
                    "model": "anthropic/claude-next",
                    "api_key": CLAUDE,
                    "api_base": provider.url,
                },
            ],
            max_tokens=500,
        )
        agent = create_agent(llm, [get_weather], response_format=Report, middleware=[ModelRetryMiddleware()])
        said = agent.invoke({"messages": [("user", "What is the weather in 'Paris'?")]})

        for message in said["messages"]:
            note = message.response_metadata.get("sparekey")
            who = f"  (by {note['candidate'].partition('@')[0]}, after {_failed(note)})" if note else ""
            print(f"{message.type:6} {message.text or [call['name'] for call in message.tool_calls]}{who}")
        print(said["structured_response"])
        print([who.name for who in llm.candidates if not llm.tracker.is_available(who)], "is cooling for", _why(llm))


def _failed(note: dict) -> str:
    return ", ".join(attempt["reason"] for attempt in note["attempts"]) or "no failure"


def _why(llm: ChatSparekey) -> str:
    return ", ".join(sorted({str(sk.Reason(view["reason"])) for view in llm.tracker.snapshot().values()}))


if __name__ == "__main__":
    main()
