"""LangChain's standard integration tests of chat models, over HTTP, with every key well and with many dead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests

import sparekey as sk
from langchain_sparekey import ChatSparekey
from sparekey.simulator import Simulator

PROVIDER = Simulator(
    {"sk-throttled": "rate_limited", "sk-revoked": "revoked", "sk-expired": "revoked", "sk-well": "healthy"}
)

# The suite embeds pictures, documents and sounds that it would fetch from the web; that they arrive is what counts.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)

pytestmark = [
    # langchain-openai's own: of its parsed answers, of old schemas, of files without a name.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema"),
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename"),
    pytest.mark.filterwarnings("ignore:LANGCHAIN_TESTS_USER_AGENT"),  # nothing is fetched
]


@pytest.fixture(autouse=True, scope="module")
def _provider() -> Iterator[None]:
    with PROVIDER:
        yield


@pytest.fixture(autouse=True)
def _web(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, content=PIXEL))


class Suite(ChatModelIntegrationTests):
    """What all chains have in common."""

    keys = ("sk-well",)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatSparekey

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": "openai/gpt-4o",
            "api_keys": self.keys,
            "api_base": PROVIDER.base_url,
            "stream_usage": True,
            "tracker": sk.CooldownTracker(),  # every test meets the dead keys anew
        }

    # Off, for OpenAI's chat completions take no such thing: supports_anthropic_inputs (cache markers), and
    # supports_image_tool_message and supports_pdf_tool_message (a user's messages only). They are on below.
    supports_json_mode = True
    supports_image_inputs = True
    supports_image_urls = True
    supports_pdf_inputs = True
    supports_audio_inputs = True
    supports_model_override = True
    model_override_value = "gpt-4o-mini"

    def test_who_served_is_the_key_that_is_well(self, model: BaseChatModel) -> None:
        """The suite would pass with a chain that never fails over, too."""
        answer = model.invoke("hello")

        assert isinstance(answer, AIMessage)
        assert len(answer.response_metadata["sparekey"]["attempts"]) == len(self.chat_model_params["api_keys"]) - 1


class TestEveryKeyWell(Suite):
    """A chain that has nothing to do."""


class TestTheFirstKeysDead(Suite):
    """One throttled, one revoked, and the third answers."""

    keys = ("sk-throttled", "sk-revoked", "sk-well")


class TestThroughResponses(TestTheFirstKeysDead):
    """The same through OpenAI's Responses."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "use_responses_api": True}

    supports_audio_inputs = False  # which it does not take
    supports_anthropic_inputs = True
    supports_image_tool_message = True
    supports_pdf_tool_message = True


class TestThroughTools(TestTheFirstKeysDead):
    """The same with structured output asked for through a tool."""

    structured_output_kwargs = {"method": "function_calling"}


class TestOpenAIDeadAnthropicServing(Suite):
    """Requests written for one provider and answered by another."""

    keys = ("sk-expired", "sk-revoked", "sk-well")

    @property
    def chat_model_params(self) -> dict[str, Any]:
        openai = {"model_name": "chat", "model": "openai/gpt-4o", "api_keys": self.keys[:2], "fallbacks": ["claude"]}
        claude = {"model_name": "claude", "model": "anthropic/claude-next", "api_key": self.keys[2]}
        return {
            "model": "chat",
            "model_list": [{**openai, "api_base": PROVIDER.base_url}, {**claude, "api_base": PROVIDER.url}],
            "max_tokens": 500,
            "tracker": sk.CooldownTracker(),
        }

    supports_model_override = False  # a model named for one call is the first provider's
    supports_json_mode = False  # Anthropic has no such mode
    supports_audio_inputs = False  # nor takes sounds
    supports_anthropic_inputs = True
    supports_image_tool_message = True
    supports_pdf_tool_message = True

    def test_who_served_is_the_key_that_is_well(self, model: BaseChatModel) -> None:
        """Two keys of OpenAI failed before."""
        note = model.invoke("hello").response_metadata["sparekey"]

        assert note["candidate"].startswith("anthropic@")
        assert [attempt["reason"] for attempt in note["attempts"]] == ["auth", "auth"]
