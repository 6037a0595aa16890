"""What ``sparekey demo`` shows of LiteLLM: a real router, its own fallbacks, and sparekey installed in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Or importing LiteLLM goes to the network for a price map.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm
from litellm.router import Router

import sparekey as sk
from litellm_sparekey import expand_model_list, install, uninstall

_CODE = """\
router = litellm.Router(model_list=expand_model_list(rows), fallbacks=[{"chat": ["backup"]}])
install(router)
router.completion("chat", messages)
"""
_NOISY = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")


class _Host:
    title = "LiteLLM: Router + install(router)"
    code = _CODE

    def __init__(
        self, entries: Sequence[Mapping[str, Any]], model: str, on_attempt: Callable[[sk.Attempt], object]
    ) -> None:
        self._model = model
        self._levels = {name: logging.getLogger(name).level for name in _NOISY}
        self._talks = litellm.suppress_debug_info
        litellm.suppress_debug_info = True
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._router = Router(
            model_list=expand_model_list(map(_row, entries)),
            fallbacks=[{entry["model_name"]: entry["fallbacks"]} for entry in entries if entry.get("fallbacks")],
        )
        install(self._router, tracker=sk.CooldownTracker(), on_attempt=on_attempt)

    def ask(self, prompt: str, **settings: Any) -> str:
        answer: Any = self._router.completion(self._model, [{"role": "user", "content": prompt}], **settings)
        return str(answer.choices[0].message.content)

    def close(self) -> None:
        uninstall(self._router)
        retire = getattr(self._router, "retire", None) or self._router.discard
        retire()
        litellm.suppress_debug_info = self._talks
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)


def open_host(model_list: Sequence[Mapping[str, Any]], model: str, on_attempt: Callable[[sk.Attempt], object]) -> _Host:
    """A router of ``model_list``, in sparekey's form, that answers for ``model``."""
    return _Host(model_list, model, on_attempt)


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of sparekey's as LiteLLM writes it."""
    params = {name: value for name, value in entry.items() if name not in {"model_name", "fallbacks"}}
    return {"model_name": entry["model_name"], "litellm_params": params}
