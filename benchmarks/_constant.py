"""A chat model that costs nothing, and listeners that do nothing: what is left is what was put around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManagerForLLMRun,
    BaseCallbackHandler,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool


class Refused(Exception):  # noqa: N818 - what a provider says, not what is wrong here
    """A revoked key, as an SDK would raise it."""

    status_code = 401


class Constant(BaseChatModel):
    """A provider that costs nothing: the same answer every time, or the same refusal."""

    chunks: int = 20
    dead: bool = False

    @property
    def _llm_type(self) -> str:
        return "constant"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        """As the partner packages do."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    # With the parameters that every provider's class has: LangChain looks at them at each call.
    # ruff: noqa: ARG002

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        if self.dead:
            raise Refused("Incorrect API key provided")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="word"))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        return self._generate(messages, stop)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        if self.dead:
            raise Refused("Incorrect API key provided")
        for _i in range(self.chunks):
            yield ChatGenerationChunk(message=AIMessageChunk(content="word"))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream(messages, stop):
            yield chunk


class Listening(BaseCallbackHandler):
    """Hears of everything and does nothing."""

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """Nothing; LangChain's own complains."""


class AsyncListening(AsyncCallbackHandler):
    """The same, without a thread for every event."""

    async def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """Nothing; LangChain's own complains."""


def look_up(city: str, days: int = 1) -> str:
    """The weather of a city for some days."""
    return f"{city}, {days}"
