"""LangChain's part in ``sparekey demo``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

import sparekey as sk
from langchain_sparekey._model import ChatSparekey

_CODE = """\
llm = ChatSparekey(model="{model}", model_list=model_list)
chain = prompt | llm | StrOutputParser()
"""


class _LangChain:
    title = "LangChain: ChatSparekey"

    def __init__(self, llm: ChatSparekey) -> None:
        self.code = _CODE.format(model=llm.model)
        self._llm = llm
        self._prompt = ChatPromptTemplate.from_template("{question}")

    def ask(self, prompt: str, **settings: Any) -> str:
        chain = self._prompt | self._llm.bind(**settings) | StrOutputParser()
        return chain.invoke({"question": prompt})

    def close(self) -> None:
        """Nothing is held: the HTTP connections are the process's."""


def open_host(
    model_list: Sequence[Mapping[str, Any]], model: str, on_attempt: Callable[[sk.Attempt], object]
) -> _LangChain:
    """A chain whose model has the keys of ``model_list``, with a memory of its own."""
    tracker = sk.CooldownTracker()
    return _LangChain(ChatSparekey(model=model, model_list=model_list, tracker=tracker, on_attempt=on_attempt))
