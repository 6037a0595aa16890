"""Tools and wanted forms in OpenAI's dialect: how they are checked, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sparekey.simulator._mind.asked import Tool
from sparekey.simulator._openai.faults import of_type, one_of, only, refused, required, wrong
from sparekey.simulator._openai.schemas import flaw
from sparekey.simulator._wire import Fault

ANY_OBJECT: dict[str, Any] = {"type": "object"}
"""What JSON mode asks for."""

_FORMATS = ("json_object", "json_schema", "text")


def check_tools(body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the tools of a chat, and with the choice among them."""
    yield from check_list(body, _check_nested_tool)
    yield from check_choice(body, lambda choice: choice.get("function"), "tool_choice.function")


def check_list(
    body: Mapping[str, Any], check_tool: Callable[[Mapping[str, Any], str], Iterator[Fault]]
) -> Iterator[Fault]:
    """What is wrong with ``tools``; each of them is for ``check_tool`` to judge."""
    tools = body.get("tools")
    if tools is None:
        for param in ("tool_choice", "parallel_tool_calls"):
            if body.get(param) is not None:
                why = f"'{param}' is only allowed when 'tools' are specified."
                yield refused(param, f"Invalid value for '{param}': {why}")
        return
    if not isinstance(tools, list):
        yield of_type("tools", "an array of objects", tools)
        return
    if not tools:
        empty = "empty array. Expected an array with minimum length 1, but got an empty array instead."
        yield wrong("tools", empty, "empty_array")
    for at, tool in enumerate(tools):
        if not isinstance(tool, Mapping):
            yield of_type(f"tools[{at}]", "an object", tool)
        elif "type" not in tool:
            yield required(f"tools[{at}].type")
        else:
            yield from check_tool(tool, f"tools[{at}]")
    parallel = body.get("parallel_tool_calls")
    if not isinstance(parallel, bool | None):
        yield of_type("parallel_tool_calls", "a boolean", parallel)


def _check_nested_tool(tool: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """Chat completions put a function one level down."""
    kind = tool["type"]
    if kind not in ("function", "custom"):
        yield one_of(f"{where}.type", kind, ("function", "custom"))
    yield from only(("type", kind), tool, where)
    if kind not in tool:
        yield required(f"{where}.{kind}")
    if not isinstance(tool[kind], Mapping):
        yield of_type(f"{where}.{kind}", "an object", tool[kind])
    elif kind == "function":
        yield from only(("name", "description", "parameters", "strict"), tool[kind], f"{where}.{kind}")
        yield from check_function(tool[kind], f"{where}.{kind}")


def check_function(function: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """What is wrong with a function that is offered."""
    yield from check_name(function, where)
    if not isinstance(function.get("description"), str | None):
        yield of_type(f"{where}.description", "a string", function["description"])
    strict = function.get("strict")
    if not isinstance(strict, bool | None):
        yield of_type(f"{where}.strict", "a boolean", strict)
    if function.get("parameters") is None:
        return
    if not isinstance(function["parameters"], Mapping):
        yield of_type(f"{where}.parameters", "an object", function["parameters"])
    if why := flaw(function["parameters"], strict=strict is True):
        message = f"Invalid schema for function '{function['name']}': {why}"
        yield refused(f"{where}.parameters", message, "invalid_function_parameters")


def check_name(named: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """What is wrong with the name of a tool or a schema."""
    name = named.get("name")
    if name is None:
        yield required(f"{where}.name")
    if not isinstance(name, str):
        yield of_type(f"{where}.name", "a string", name)
    elif not name:
        yield wrong(f"{where}.name", "empty string. Expected a string with minimum length 1.", "empty_string")
    elif len(name) > 64:
        long = f"string too long. Expected a string with maximum length 64, but got a string with length {len(name)}"
        yield wrong(f"{where}.name", f"{long} instead.", "string_above_max_length")
    elif not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
        pattern = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        yield wrong(f"{where}.name", pattern, "invalid_value")


def check_choice(
    body: Mapping[str, Any], named: Callable[[Mapping[str, Any]], Any], where: str, hosted: tuple[str, ...] = ()
) -> Iterator[Fault]:
    """What is wrong with ``tool_choice``; ``named`` finds in it where a name stands."""
    choice = body.get("tool_choice")
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            yield one_of("tool_choice", choice, ("none", "auto", "required"))
    elif isinstance(choice, Mapping):
        kind = choice.get("type")
        if kind in hosted:
            return
        if kind != "function":
            yield one_of("tool_choice.type", kind, ("function", *hosted))
        function = named(choice)
        if not isinstance(function, Mapping):
            yield required(where)
        yield from check_name(function, where)
        if function["name"] not in [tool.name for tool in read_tools(body["tools"])]:
            yield refused("tool_choice", f"Tool choice '{function['name']}' not found in 'tools' parameter.")
    elif choice is not None:
        yield of_type("tool_choice", "one of a string or object", choice)


def read_tools(tools: list[Any] | None) -> list[Tool]:
    """The functions among checked tools; the provider's own tools are never called."""
    functions = [tool.get("function", tool) for tool in tools or [] if tool["type"] == "function"]
    return [Tool(each["name"], each.get("description") or "", each.get("parameters")) for each in functions]


def read_choice(body: Mapping[str, Any]) -> dict[str, Any]:
    """The tools that may be called and whether one must be, as :class:`Asked` wants them."""
    tools = read_tools(body.get("tools"))
    choice = body.get("tool_choice")
    if choice == "none":
        tools = []
    named = isinstance(choice, Mapping) and choice["type"] == "function"
    if isinstance(choice, Mapping) and named:
        name = choice.get("function", choice)["name"]
        tools = [tool for tool in tools if tool.name == name]
    return {
        "tools": tuple(tools),
        "forced": choice == "required" or named,
        "parallel": body.get("parallel_tool_calls") is not False,
    }


def check_format(wanted: object, where: str, prompt: str) -> Iterator[Fault]:
    """What is wrong with a wanted form; ``prompt`` is all that the messages say."""
    if wanted is None:
        return
    if not isinstance(wanted, Mapping):
        yield of_type(where, "an object", wanted)
        return
    kind = wanted.get("type")
    if kind is None:
        yield required(f"{where}.type")
    if kind not in _FORMATS:
        yield one_of(f"{where}.type", kind, _FORMATS)
    if kind == "json_object" and "json" not in prompt.lower():
        place, who = ("messages", "'messages'") if where == "response_format" else ("input", "Response input messages")
        yield refused(
            place, f"{who} must contain the word 'json' in some form, to use '{where}' of type 'json_object'."
        )


def check_nested_format(wanted: object, prompt: str) -> Iterator[Fault]:
    """Chat completions put the schema one level down."""
    yield from check_format(wanted, "response_format", prompt)
    if isinstance(wanted, Mapping) and wanted["type"] == "json_schema":
        where = "response_format.json_schema"
        if "json_schema" not in wanted:
            yield required(where)
        if not isinstance(wanted["json_schema"], Mapping):
            yield of_type(where, "an object", wanted["json_schema"])
        yield from only(("name", "description", "schema", "strict"), wanted["json_schema"], where)
        yield from check_schema(wanted["json_schema"], where, "response_format")


def check_schema(described: Mapping[str, Any], where: str, param: str, code: str | None = None) -> Iterator[Fault]:
    """What is wrong with a schema and its name."""
    yield from check_name(described, where)
    if "schema" not in described:
        yield required(f"{where}.schema")
    if not isinstance(described["schema"], Mapping):
        yield of_type(f"{where}.schema", "an object", described["schema"])
    if why := flaw(described["schema"], strict=described.get("strict") is True):
        yield refused(param, f"Invalid schema for response_format '{described['name']}': {why}", code)


def read_format(wanted: Mapping[str, Any] | None) -> Any:
    """The schema of a checked form; None for plain words."""
    kind = (wanted or {}).get("type")
    if wanted is None or kind not in ("json_object", "json_schema"):
        return None
    return wanted.get("json_schema", wanted)["schema"] if kind == "json_schema" else ANY_OBJECT
