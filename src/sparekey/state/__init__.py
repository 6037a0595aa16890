"""State that several processes share: where it is kept, and how a store of your own is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparekey.state._store import Fields, Kept, Store, merged

if TYPE_CHECKING:
    from sparekey.state._redis import RedisStore
    from sparekey.state._sqlite import SQLiteStore

__all__ = ["Fields", "Kept", "RedisStore", "SQLiteStore", "Store", "merged"]


def __getattr__(name: str) -> Any:
    """Stores are imported when they are asked for: redis-py is an extra."""
    if name == "RedisStore":
        from sparekey.state._redis import RedisStore

        return RedisStore
    if name == "SQLiteStore":
        from sparekey.state._sqlite import SQLiteStore

        return SQLiteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
