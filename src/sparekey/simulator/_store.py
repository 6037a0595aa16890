"""What providers keep for a key: files, responses and their items."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Literal, TypeAlias

MOST = 2000
"""Things kept at once, whatever their size; the oldest go first."""

Kind: TypeAlias = Literal["file", "item", "response"]


class Store:
    """Things by owner and id: what one key made, another does not find."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[Kind, str, str], Any] = OrderedDict()

    def put(self, kind: Kind, owner: str, id_: str, thing: Any) -> None:
        self._kept[kind, owner, id_] = thing
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, kind: Kind, owner: str, id_: str) -> Any:
        """The thing, None when this owner has none of that kind and id."""
        return self._kept.get((kind, owner, id_))

    def drop(self, kind: Kind, owner: str, id_: str) -> None:
        """Keep it no longer."""
        self._kept.pop((kind, owner, id_), None)
