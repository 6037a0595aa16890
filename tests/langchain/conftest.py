"""What the LangChain adapter's tests share: a provider that fails, models that talk to it, and a listener."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

import sparekey as sk
from langchain_sparekey import ChatSparekey
from sparekey.simulator import Simulator

ONE, TWO, THREE, FOUR = (f"sk-test-{name}-0123456789abcdef" for name in ("alpha", "bravo", "charlie", "delta"))


@pytest.fixture
def keys() -> tuple[str, str, str, str]:
    """Four keys, long enough to be looked for in whatever should not show them."""
    return ONE, TWO, THREE, FOUR


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What one test taught the process's own memory is forgotten before the next."""
    yield
    sk.shared_tracker().reset()


@pytest.fixture(scope="session")
def port() -> int:
    """One port for all simulators: LangChain keeps an HTTP client for each address, which takes 60 ms to make."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def simulate(port: int) -> Iterator[Callable[..., Simulator]]:
    """Starts a provider whose four keys behave as told, in order; stopped at the end of the test."""
    running: list[Simulator] = []

    def start(*behaviours: Any, **options: Any) -> Simulator:
        sim = Simulator(dict(zip((ONE, TWO, THREE, FOUR), behaviours, strict=False)), port=port, **options)
        running.append(sim.start())
        start.last = sim  # type: ignore[attr-defined]
        return sim

    yield start
    for sim in running:
        sim.stop()


@pytest.fixture
def three_dead(simulate: Callable[..., Simulator]) -> Simulator:
    """The first key is throttled, the second revoked, the third unpaid; the fourth answers."""
    return simulate({"kind": "rate_limited", "retry_after": 60}, "revoked", "no_credit", "healthy")


@pytest.fixture
def chat() -> Callable[..., ChatSparekey]:
    """Builds a model of a simulator's keys, with a memory of its own."""

    def build(sim: Simulator, **options: Any) -> ChatSparekey:
        options.setdefault("tracker", sk.CooldownTracker())
        return ChatSparekey(model="openai/gpt-4o", api_keys=list(sim.counts), api_base=sim.base_url, **options)

    return build


def _stream(model: Any, prompt: str) -> str:
    return "".join(chunk.text for chunk in model.stream(prompt))


async def _astream(model: Any, prompt: str) -> str:
    return "".join([chunk.text async for chunk in model.astream(prompt)])


async def _ainvoke(model: Any, prompt: str) -> str:
    return (await model.ainvoke(prompt)).content


async def _abatch(model: Any, prompt: str) -> str:
    return (await model.abatch([prompt]))[0].content


WAYS: dict[str, Callable[[Any, str], str]] = {
    "invoke": lambda model, prompt: model.invoke(prompt).content,
    "ainvoke": lambda model, prompt: asyncio.run(_ainvoke(model, prompt)),
    "stream": _stream,
    "astream": lambda model, prompt: asyncio.run(_astream(model, prompt)),
    "batch": lambda model, prompt: model.batch([prompt])[0].content,
    "abatch": lambda model, prompt: asyncio.run(_abatch(model, prompt)),
}


@pytest.fixture(params=WAYS)
def ask(request: pytest.FixtureRequest) -> Callable[[Any, str], str]:
    """Every way of asking a model; gives the text of the answer. The async ones each in a loop of their own."""
    return WAYS[request.param]


@pytest.fixture(params=["invoke", "ainvoke"])
def ask_whole(request: pytest.FixtureRequest) -> Callable[[Any, str], str]:
    """Asking for a whole answer, in both colours."""
    return WAYS[request.param]


@pytest.fixture(params=["stream", "astream"])
def ask_stream(request: pytest.FixtureRequest) -> Callable[[Any, str], str]:
    """Asking for a stream, in both colours."""
    return WAYS[request.param]


class Listener(BaseCallbackHandler):
    """Writes down every event of a run, with all that came with it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.heard: list[Any] = []
        self.tokens: list[str] = []

    def _note(self, event: str, *said: Any) -> None:
        self.names.append(event)
        self.heard.append(said)

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self._note("start", args, kwargs)

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        self.tokens.append(token)
        self._note("token", token, kwargs)

    def on_retry(self, retry_state: Any, **kwargs: Any) -> None:
        self._note("retry", retry_state.outcome.exception(), kwargs)

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self._note("end", args, kwargs)

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self._note("error", args, kwargs)


@pytest.fixture
def listener() -> Listener:
    return Listener()


class Scripted(BaseChatModel):
    """A chat model without a network: answers with its name, or raises what it is told to, once each."""

    name_: str = "scripted"
    temperature: float | None = None
    errors: list[Any] = Field(default_factory=list)
    chunks: list[Any] = Field(default_factory=list)
    calls: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"name": self.name_, "temperature": self.temperature}

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "scripted", "ls_model_name": self.name_, "ls_model_type": "chat"}

    def _take(self, how: str) -> None:
        self.calls.append(how)
        if self.errors:
            raise self.errors.pop(0)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self._take("generate")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=self.name_))])


class Streaming(Scripted):
    """One that streams too: its chunks are texts, whole chunks, or errors to raise."""

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        self._take("stream")
        try:
            for chunk in self.chunks:
                if isinstance(chunk, Exception):
                    raise chunk
                if isinstance(chunk, ChatGenerationChunk):
                    yield chunk
                else:
                    yield ChatGenerationChunk(message=AIMessageChunk(content=chunk))
        finally:
            self.calls.append("closed")


@pytest.fixture
def scripted() -> type[Scripted]:
    """A model that cannot stream."""
    return Scripted


@pytest.fixture
def streaming() -> type[Streaming]:
    """A model that can."""
    return Streaming
