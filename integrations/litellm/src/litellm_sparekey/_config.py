"""A whole config of LiteLLM's proxy, as a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm_sparekey._expand import expand_model_list, lists_of_keys
from litellm_sparekey._mistake import mistake

CALLBACK = "litellm_sparekey.proxy.callback"
"""What LiteLLM's proxy imports to have sparekey in its router."""

# Sections besides model_list from which LiteLLM takes what it sends to a provider. Guardrails, MCP servers and
# sections that it does not know may have an api_keys of their own.
_SENT = (
    "credential_list",
    "router_settings",
    "litellm_settings",
    "general_settings",
    "assistant_settings",
    "search_tools",
    "vector_store_registry",
    "agents",
    "agent_list",
    "finetune_settings",
    "files_settings",
    "default_vertex_config",
)


def expand_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config of LiteLLM's proxy with one row for each key, and with sparekey's callback.

    ``config`` is what LiteLLM reads from its ``config.yaml``, and is left as it is. Its
    ``model_list`` becomes what :func:`expand_model_list` makes of it, and
    ``litellm_settings.callbacks`` gains ``litellm_sparekey.proxy.callback``. All else stays.
    Expanding twice changes nothing.

    Raises:
        sparekey.ConfigError: as :func:`expand_model_list`; or ``api_keys`` stands in another section
            that LiteLLM would send to a provider; or the config names files to ``include``, which
            only :func:`expand_config_text` reads. One line that shows no key.
    """
    if config.get("include"):
        raise mistake(("include",), "names files, and they may have keys in them; expand the config as text")
    refuse_lists(config)
    expanded = {**config, "litellm_settings": _with_callback(config.get("litellm_settings"))}
    if (rows := rows_of(config)) is not None:
        expanded["model_list"] = expand_model_list(rows)
    return expanded


def rows_of(config: Mapping[str, Any]) -> list[Any] | None:
    """The ``model_list``, if there is one.

    Raises:
        sparekey.ConfigError: it is something else than a list.
    """
    rows = config.get("model_list")
    if rows is not None and not isinstance(rows, list):
        raise mistake(("model_list",), f"must be a list of rows, not {type(rows).__name__}")
    return rows


def refuse_lists(config: Mapping[str, Any]) -> None:
    """Raise for an ``api_keys`` that is in no row of the ``model_list``."""
    for section in _SENT:
        for path in lists_of_keys(config.get(section), (section,)):
            raise mistake(
                path,
                "LiteLLM would send it to the provider as it is; lists of keys stand in model_list, in litellm_params",
                _name_in(config[section], path),
            )


def _name_in(section: Any, path: tuple[str | int, ...]) -> Any:
    entry = section[path[1]] if isinstance(path[1], int) else None
    names = ("credential_name", "search_tool_name", "vector_store_name", "agent_name")
    return next((entry[name] for name in names if name in entry), None) if isinstance(entry, Mapping) else None


def _with_callback(settings: Any) -> dict[str, Any]:
    if settings is not None and not isinstance(settings, Mapping):
        raise mistake(("litellm_settings",), f"must be a mapping of settings, not {type(settings).__name__}")
    settings = dict(settings or {})
    there = settings.get("callbacks")
    if there is not None and not isinstance(there, (str, list)):
        raise mistake(("litellm_settings", "callbacks"), f"must be a list, not {type(there).__name__}")
    names = [there] if isinstance(there, str) else there or []
    # Left as it is when ours is there: a text alone is understood by LiteLLM, too.
    return settings if CALLBACK in names else {**settings, "callbacks": [*names, CALLBACK]}
