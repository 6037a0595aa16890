"""LangChain's standard unit tests of chat models."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_sparekey import ChatSparekey


class TestChatSparekey(ChatModelUnitTests):
    """A chain of two keys of OpenAI and one of Anthropic."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatSparekey

    @property
    def chat_model_params(self) -> dict[str, Any]:
        rows = [
            {"model_name": "chat", "model": "openai/gpt-4o", "api_keys": ["sk-one", "sk-two"], "fallbacks": ["spare"]},
            {"model_name": "spare", "model": "anthropic/claude-next", "api_key": "sk-three"},
        ]
        return {"model": "chat", "model_list": rows}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        # All but a key, which stands in the list.
        return {name: value for name, value in super().standard_chat_model_params.items() if name != "api_key"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        # Without keys of ours the provider's package reads its own variable; that a request is then
        # made with it is shown in the tests of construction.
        return {"OPENAI_API_KEY": "sk-env"}, {"model": "openai/gpt-4o"}, {"model": "openai/gpt-4o"}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "gpt-4o-mini"
