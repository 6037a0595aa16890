"""The connection on which Redis tells changes, and the thread that hears them."""

from __future__ import annotations

import contextlib
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import redis
from redis.cluster import RedisCluster

from sparekey.state._redis_scripts import text_of

if TYPE_CHECKING:
    from redis.client import PubSub

_PATIENCE = 2.0
"""Seconds until Redis must have confirmed a subscription."""
_GLANCE = 0.5
"""Seconds between two looks at whether anybody still wants to hear. redis-py has no way to interrupt a read."""


class Again:
    """The subscription was made anew, by redis-py itself: what was told in between is lost."""


class Listener:
    """Puts what is told on ``channel`` into ``told``: a message, or the error that ended it.

    When this is made, the subscription is confirmed.
    """

    def __init__(
        self, client: redis.Redis | RedisCluster, channel: str, told: SimpleQueue[str | Exception | Again | None]
    ) -> None:
        self._pubsub: PubSub = client.pubsub()  # type: ignore[no-untyped-call]  # redis-py tells no type
        self._told = told
        self._stopped = threading.Event()
        self._subscribe(channel)
        threading.Thread(target=self._listen, name="sparekey-redis", daemon=True).start()

    def stop(self) -> None:
        """Hear no more. The thread ends by itself, and its connection with it."""
        self._stopped.set()

    def _subscribe(self, channel: str) -> None:
        self._pubsub.subscribe(channel)
        give_up = time.monotonic() + _PATIENCE
        while time.monotonic() < give_up:
            message = self._pubsub.get_message(timeout=_GLANCE)
            if message and message["type"] == "subscribe":
                return
        raise redis.TimeoutError("a subscription was not confirmed")

    def _listen(self) -> None:
        try:
            while not self._stopped.is_set():
                message: dict[str, Any] | None = self._pubsub.get_message(timeout=_GLANCE)
                if message and message["type"] == "message":
                    self._told.put(text_of(message["data"]))
                elif message and message["type"] == "subscribe":
                    self._told.put(Again())
        except Exception as error:
            self._told.put(error)
        finally:
            with contextlib.suppress(Exception):  # of a connection that broke there is nothing to let go
                self._pubsub.close()
