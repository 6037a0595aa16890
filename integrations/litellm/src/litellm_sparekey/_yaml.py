"""YAML as LiteLLM's proxy reads it, with the place in the text of every value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

import sparekey as sk
from litellm_sparekey._mistake import Steps


@dataclass(eq=False, slots=True)
class Place:
    """Where a value stands: offsets into the text, and what is inside."""

    start: int
    end: int
    """After its last character that is neither blank nor comment."""
    line: int
    column: int
    kind: str
    """``mapping``, ``sequence``, ``scalar`` or ``alias``; an alias has nothing inside."""
    flow: bool = False
    """In brackets or braces; else told by indentation."""
    pairs: dict[str, tuple[Place, Place]] = field(default_factory=dict)
    """A mapping's own names and values; what it merges (``<<``) is not among them."""
    items: list[Place] = field(default_factory=list)

    def inside(self) -> list[Place]:
        """What it is made of, in order."""
        return [*self.items, *(place for pair in self.pairs.values() for place in pair)]


@dataclass(frozen=True, slots=True)
class Document:
    """A text, what it says, and where it says it."""

    text: str
    value: Any
    root: Place | None

    def line_of(self, path: Steps) -> int | None:
        """The line, from 1, of what stands at ``path``, or of the nearest thing around it."""
        place, line = self.root, None
        for part in path:
            if place is None:
                break
            if isinstance(part, int):
                place = place.items[part] if part < len(place.items) else None
                line = line if place is None else place.line
            elif part in place.pairs:
                key, place = place.pairs[part]
                line = key.line
            else:
                break
        return line


def read(text: str, where: str) -> Document:
    """What LiteLLM would see in ``text``.

    Raises:
        sparekey.ConfigError: it is not one YAML document, or a name stands twice in one mapping. One
            line that begins with ``where`` and quotes nothing.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(text, None, None)
        # Before the value is made: making it writes what is merged into the nodes.
        root = _place(node, loader.aliases)
        return Document(text, loader.construct_document(node), root)
    except RecursionError:
        at, what = "", "it is nested too deeply, or in itself"
    except yaml.MarkedYAMLError as error:
        at = f":{error.problem_mark.line + 1}:{error.problem_mark.column + 1}" if error.problem_mark else ""
        # A name that it quotes may be a key in the wrong place.
        what = re.sub(r"(alias|anchor|tag|handle) '.*", r"\1", error.problem or "it cannot be read")
        if what == "but found another document":
            what = "a second document begins, and LiteLLM reads one"
    except yaml.reader.ReaderError as error:
        at, what = f":{text.count(chr(10), 0, error.position) + 1}", "a character that YAML does not allow"
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, ArithmeticError):
        at, what = "", "a value in it is not what its tag or look says"
    raise sk.ConfigError(f"{where}{at}: not valid YAML: {what}")  # out here, or Python would keep the text beside it


def written(value: Any) -> str:
    """``value`` on one line, as it may stand within brackets."""
    text = yaml.dump([value], Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDE)
    return text.rstrip("\n")[1:-1]


def written_below(value: Any) -> str:
    """``value`` on lines of its own, not indented."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE).rstrip("\n")


_WIDE = 1 << 30
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"


class _Loader(yaml.SafeLoader):
    """LiteLLM's loader; it notes where aliases stand, and takes no name twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.aliases: dict[tuple[int, int], Any] = {}
        """By parent and, in it, number or name: which of its children are repeated from elsewhere."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs say nothing of it
        if isinstance(event, yaml.AliasEvent):
            self.aliases[id(parent), index if isinstance(index, int) else id(index)] = event
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if key.value in seen:
                    raise yaml.composer.ComposerError(None, None, "a name is given twice", key.start_mark)
                seen.add(key.value)
        return node


class _Dumper(yaml.SafeDumper):
    """Writes everything out, with lists indented as most configs have them."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _place(node: Any, aliases: dict[tuple[int, int], Any]) -> Place:
    """Where a node stands, by PyYAML's marks (whose stubs are too thin for more than ``Any``)."""
    place = _marked(node, node.id)
    if node.id == "scalar":
        if node.style in ("|", ">"):  # its mark is where the next thing begins
            place.end -= len(text := node.end_mark.buffer[node.start_mark.pointer : node.end_mark.pointer])
            place.end += len(text.rstrip())
        return place
    place.flow = bool(node.flow_style)
    if node.id == "sequence":
        inside = place.items = [_child(item, (id(node), i), aliases) for i, item in enumerate(node.value)]
    else:
        inside = [_child(value, (id(node), id(key)), aliases) for key, value in node.value]
        for (key, _), value in zip(node.value, inside, strict=True):
            # A name that is itself an alias stands elsewhere, and is not one that can be changed here.
            if key.tag == _TEXT and key.start_mark.index >= place.start:
                place.pairs[key.value] = (_marked(key, "scalar"), value)
    if not place.flow and inside:
        place.end = inside[-1].end
    return place


def _child(node: Any, at: tuple[int, int], aliases: dict[tuple[int, int], Any]) -> Place:
    return _marked(aliases[at], "alias") if at in aliases else _place(node, aliases)


def _marked(there: Any, kind: str) -> Place:
    begin = there.start_mark
    return Place(begin.index, there.end_mark.index, begin.line + 1, begin.column, kind)
