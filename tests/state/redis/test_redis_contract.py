"""Redis does what every store has to do."""

from __future__ import annotations

import pytest
import redis

from sparekey.state import RedisStore
from sparekey.testing import StoreContract


class TestRedisByItsUrl(StoreContract):
    """The published contract, with a client that the store makes."""

    @pytest.fixture
    def make_store(self, place):
        """Stores with one prefix."""
        return lambda: RedisStore.from_url(place)


class TestRedisByAClient(StoreContract):
    """The published contract, with one client of the user's own, who wants text for bytes, for all stores."""

    @pytest.fixture
    def make_store(self, redis_url, prefix):
        """Stores with one client and one prefix."""
        with redis.Redis.from_url(redis_url, decode_responses=True, protocol=3) as client:
            yield lambda: RedisStore(client, prefix=prefix)
