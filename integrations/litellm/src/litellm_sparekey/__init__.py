"""When one API key of a LiteLLM router fails, use the spare.

    rows = expand_model_list([{"model_name": "gpt", "litellm_params": {"model": "openai/gpt-4o", "api_keys": [...]}}])
    router = litellm.Router(model_list=rows)
    install(router)

Every key is tried before a request fails, a key that failed rests for as long as its provider
asks, and LiteLLM's tags, weights, teams, orders, aliases and fallbacks go on working.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from litellm_sparekey._config import expand_config
from litellm_sparekey._config_file import expand_config_text
from litellm_sparekey._expand import expand_model_list

if TYPE_CHECKING:
    from litellm_sparekey._install import install, uninstall
    from litellm_sparekey._strategy import SparekeyRoutingStrategy

__version__ = "0.1.0"

__all__ = [
    "SparekeyRoutingStrategy",
    "expand_config",
    "expand_config_text",
    "expand_model_list",
    "install",
    "uninstall",
]

# Importing litellm takes seconds; whoever only expands a config does without it.
_LAZY = {"SparekeyRoutingStrategy": "_strategy", "install": "_install", "uninstall": "_install"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
