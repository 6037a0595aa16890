"""State that several processes share: where it is kept, and how a store of your own is made."""

from sparekey.state._store import Fields, Kept, Store

__all__ = ["Fields", "Kept", "Store"]
