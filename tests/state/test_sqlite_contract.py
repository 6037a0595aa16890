"""SQLite does what every store has to do."""

from __future__ import annotations

import pytest

from sparekey.state import SQLiteStore
from sparekey.testing import StoreContract


class TestSQLite(StoreContract):
    """The published contract."""

    @pytest.fixture
    def make_store(self, tmp_path):
        """Stores on one file."""
        return lambda: SQLiteStore(tmp_path / "state.db")
