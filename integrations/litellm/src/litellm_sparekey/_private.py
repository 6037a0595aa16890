"""All that sparekey goes by in LiteLLM, and in OpenAI's SDK under it, and neither documents: in one place.

Whatever a table names is looked for when sparekey is installed, before anything is changed: a
release that has moved it is refused with one error that says what it lacks. What a name is for
stands beside it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Names = Mapping[str, str]
"""Each name, with what it is for."""

# -- every generation of the router -------------------------------------------------------

CORE = "_core"
"""What a router has that is a facade: who does the work. The calls of its own go through that one's attributes."""

EXCLUDED = "_excluded_deployment_ids"
"""In the settings of a request: whom a selection leaves out. LiteLLM's own, for its weighted failover."""

ORDER = "_target_order"
"""There, too: of a group's orders, the one to go to when those before it failed."""

MODULES: Mapping[str, Names] = {
    "litellm.utils": {"get_excluded_filtered_deployments": f"that selections heed {EXCLUDED}"},
    "litellm.litellm_core_utils.streaming_handler": {"CustomStreamWrapper": "the streams of chats"},
    "litellm.exceptions": {"MidStreamFallbackError": "what LiteLLM wraps the error of a stream in, for its fallbacks"},
}

# -- the router in Python, up to 1.109 ----------------------------------------------------

PYTHON_ROUTER: Names = {
    "get_available_deployment": "the sync selection",
    "make_call": "an attempt: the one place that first ones, retries and fallbacks pass, sync and async",
    "async_function_with_retries": "the rounds of retries around attempts",
    "async_function_with_fallbacks_common_utils": "the way from a failed group to its fallbacks",
    "_acompletion_streaming_iterator": "hands on the stream of a chat, with `model_response` and `first_chunk`",
    "_completion_streaming_iterator": "the sync one",
    "_ageneric_api_call_with_fallbacks_helper": "an attempt at responses, messages and most newer endpoints",
    "_atext_completion": "an attempt at a text, which may be a stream",
    "_atranscription": "an attempt at a transcription, which may be a stream",
    "_generic_api_call_with_fallbacks": "sync responses, in one attempt",
    "text_completion": "sync texts, in one attempt",
}
PYTHON_FACADES = "_core_async_get_available_deployment"
"""The async selection of a core behind a facade; without one it is `async_get_available_deployment`."""

# -- the router with its core in Rust, since 1.110 ----------------------------------------

RUST_CORE: Names = {
    "_run": "carries out the steps of a call, one after the other, until it is done",
    "_run_sync": "the sync one",
    "_call_sync": "makes a sync call, of some endpoints with one attempt only",
    "text_completion": "sync texts, in one attempt that the core has no part in",
    "_pre_route": "picks for a step, after what hooks have made of the name",
    "_selection_fields": "what the core is told of a call before it starts",
    "_group_policy_fields": "and what of LiteLLM's retry policies",
    "_retry_policy_raises": "and for which groups there is one that cannot be read, which ends a call",
    "register_plugin": "makes a strategy the router's",
    "registry": "the deployments",
    "settings": "what the router was told",
}
RUST_PARTS: Mapping[str, Names] = {
    "_endpoints": {"attempt_failed": "hears of the error of an attempt, before the core does"},
    "_host": {"invoke": "LiteLLM's functions by their names"},
}
"""What a core has inside, and what that has. Beside these, `_handle`, whose class is the core's in Rust."""
RUST_STRATEGY = "_custom_strategy"
"""The strategy that is registered with a core; None when it has been dropped."""
RUST_MODULE: Mapping[str, Names] = {
    "_Selection": {"_run": "one selection, by itself", "run_sync": "the sync one"},
    "_Driver": {"response": "the answer of a call that is done"},
}
"""Classes beside the core's."""
RUST_MODULES: Mapping[str, Names] = {
    "litellm.router_utils.fallback_event_handlers": {
        "fallback_lookup_groups": "the names by which a request's fallbacks are looked up",
        "get_fallback_model_group_for_lookup_groups": "the groups that stand under them",
    },
    "litellm.router_api": {"ChangeSet": "a change of settings, which a router applies"},
}

# -- OpenAI's SDK -------------------------------------------------------------------------


class Private(NamedTuple):
    """A name of a class."""

    module: str
    kind: str
    name: str

    def owner(self) -> Any:
        """The class; None where there is none."""
        try:
            return getattr(importlib.import_module(self.module), self.kind, None)
        except ImportError:
            return None

    def __str__(self) -> str:
        return f"{self.module}.{self.kind}.{self.name}"


SDK_RETRIES = Private("openai._models", "FinalRequestOptions", "get_max_retries")
"""How often a client tries one request again. The one name that is only warned about: without it sparekey
works, and a key that has just failed may be asked twice more."""


def lacking(owner: object, names: Iterable[str]) -> list[str]:
    """Which of these ``owner`` has not."""
    return [name for name in names if getattr(owner, name, None) is None]


def lacking_in(modules: Mapping[str, Names]) -> list[str]:
    """Which of these modules' names there are not, in full."""
    gone = []
    for module, names in modules.items():
        try:
            owner: object = importlib.import_module(module)
        except ImportError:
            owner = None
        gone += [f"{module}.{name}" for name in lacking(owner, names)]
    return gone
