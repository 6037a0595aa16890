"""Tools and wanted forms in Anthropic's dialect: how they are checked, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._anthropic.faults import invalid, missing, only, text_in, wrong_tag
from sparekey.simulator._mind.asked import Tool
from sparekey.simulator._wire import Fault

_CUSTOM = (
    "type",
    "name",
    "description",
    "input_schema",
    "cache_control",
    "strict",
    "defer_loading",
    "allowed_callers",
    "input_examples",
    "eager_input_streaming",
)
_OWN = ("bash", "code_execution", "computer", "memory", "text_editor", "tool_search_tool", "web_fetch", "web_search")
_CHOICES = ("any", "auto", "none", "tool")


def check_tools(body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the tools, and with the choice among them."""
    tools = body.get("tools")
    if tools is not None and not isinstance(tools, list):
        yield invalid("tools: Input should be a valid list")
    for at, tool in enumerate(tools or ()):
        yield from _check_tool(tool, f"tools.{at}")
    names = [tool.get("name") for tool in tools or ()]
    if len({name for name in names if name}) < len([name for name in names if name]):
        yield invalid("tools: Tool names must be unique.")
    yield from _check_choice(body, names)


def _check_tool(tool: Any, where: str) -> Iterator[Fault]:
    if not isinstance(tool, Mapping):
        yield invalid(f"{where}: Input should be a valid dictionary or object to extract fields from")
    kind = tool.get("type") or "custom"
    if kind != "custom":
        own = isinstance(kind, str) and (
            kind == "mcp_toolset" or re.fullmatch(rf"({'|'.join(_OWN)})(_\w+)?_\d{{8}}", kind)
        )
        if not own:
            yield wrong_tag(where, kind, ("custom", *(f"{name}_YYYYMMDD" for name in _OWN)))
        if not isinstance(tool.get("name", ""), str):
            yield invalid(f"{where}.{kind}.name: Input should be a valid string")
        return
    where = f"{where}.custom"
    yield from only(_CUSTOM, tool, where)
    yield from text_in(tool, "name", where)
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool["name"]):
        yield invalid(f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    if not isinstance(tool.get("description"), str | None):
        yield invalid(f"{where}.description: Input should be a valid string")
    schema = tool.get("input_schema")
    if schema is None:
        yield missing(f"{where}.input_schema")
    if not isinstance(schema, Mapping):
        yield invalid(f"{where}.input_schema: Input should be a valid dictionary")
    elif "type" not in schema:
        yield missing(f"{where}.input_schema.type")
    elif schema["type"] != "object":
        yield invalid(f"{where}.input_schema.type: Input should be 'object'")


def _check_choice(body: Mapping[str, Any], names: list[Any]) -> Iterator[Fault]:
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not isinstance(choice, Mapping):
        yield invalid("tool_choice: Input should be a valid dictionary or object to extract fields from")
    kind = choice.get("type")
    if kind not in _CHOICES:
        yield wrong_tag("tool_choice", kind, _CHOICES)
    if not isinstance(choice.get("disable_parallel_tool_use"), bool | None):
        yield invalid(f"tool_choice.{kind}.disable_parallel_tool_use: Input should be a valid boolean")
    if kind == "any" and not names:
        yield invalid("tool_choice.any may only be specified while providing tools")
    if kind == "tool":
        yield from text_in(choice, "name", "tool_choice.tool")
        if choice["name"] not in names:
            yield invalid(f"Tool '{choice['name']}' not found in provided tools")
    thinking = body.get("thinking")
    if kind in ("any", "tool") and isinstance(thinking, Mapping) and thinking.get("type") in ("enabled", "adaptive"):
        yield invalid("Thinking may not be enabled when tool_choice forces tool use.")


def read_tools(body: Mapping[str, Any]) -> dict[str, Any]:
    """The tools that may be called and whether one must be, as :class:`Asked` wants them."""
    choice = body.get("tool_choice") or {"type": "auto"}
    kind = choice["type"]
    tools = tuple(
        Tool(tool["name"], tool.get("description") or "", tool["input_schema"])
        for tool in body.get("tools") or ()
        # Anthropic's own tools are never called.
        if (tool.get("type") or "custom") == "custom"
        if kind != "tool" or tool["name"] == choice["name"]
    )
    return {
        "tools": () if kind == "none" else tools,
        "forced": kind in ("any", "tool"),
        "parallel": choice.get("disable_parallel_tool_use") is not True,
    }


def _format(body: Mapping[str, Any]) -> tuple[str, Any]:
    """Where a wanted form stands, and what stands there; ``output_format`` is what betas called it."""
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, Mapping) else None
    return ("output_config.format", wanted) if wanted is not None else ("output_format", body.get("output_format"))


def check_format(body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with a wanted form."""
    if not isinstance(body.get("output_config"), Mapping | None):
        yield invalid("output_config: Input should be a valid dictionary or object to extract fields from")
    where, wanted = _format(body)
    if wanted is None:
        return
    if not isinstance(wanted, Mapping):
        yield invalid(f"{where}: Input should be a valid dictionary or object to extract fields from")
    if wanted.get("type") != "json_schema":
        yield invalid(f"{where}.type: Input should be 'json_schema'")
    if "schema" not in wanted:
        yield missing(f"{where}.schema")
    if not isinstance(wanted["schema"], Mapping):
        yield invalid(f"{where}.schema: Input should be a valid dictionary")
    left: list[Any] = [wanted["schema"]]
    while left:
        schema = left.pop()
        if isinstance(schema, list):
            left += schema
        elif isinstance(schema, Mapping):
            if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
                yield invalid(
                    f"{where}.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
                )
            inner = (schema.get(word) for word in ("properties", "$defs", "definitions"))
            left += [each for found in inner if isinstance(found, Mapping) for each in found.values()]
            left += [schema.get(word) for word in ("items", "anyOf", "allOf")]


def read_format(body: Mapping[str, Any]) -> Any:
    """The schema of a checked form; None for plain words."""
    _, wanted = _format(body)
    return None if wanted is None else wanted["schema"]
