"""State kept in Redis, or in what speaks its language: Valkey, a Sentinel's master, a cluster."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias
from urllib.parse import quote, unquote

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError
from redis.retry import Retry

from sparekey.errors import ConfigError
from sparekey.state._redis_listener import Again, Listener
from sparekey.state._redis_scripts import CHANNEL, CLOCK, LOAD, SAVE, Clock, sha, summed, text_of
from sparekey.state._store import Kept, Store

Client: TypeAlias = "redis.Redis | RedisCluster"

_PREFIX = "sparekey"
_PATIENCE = 1.0
"""Seconds a client made here waits for a connection, and for an answer."""
_GLANCE = 1.0
"""Seconds between two looks at whether what was loaded is still there."""
_BATCH = 100
"""Records merged by one call of the script, during which Redis does nothing else: a few milliseconds."""
_FIRST_PAGE = "0"
"""Where reading begins, by what Redis calls a cursor; it says so, too, when there is no other page."""
_READABLE = "/:@|,=+"
"""Left as they are in a quoted id, so that people can read it in ``redis-cli``."""


class RedisStore(Store):
    """State in one hash of a Redis, ``<prefix>:records``; changes are told on ``<prefix>:records:changed``.

    Redis 6.2 or newer, or Valkey. Records expire by Redis's own clock. A server that is ahead of
    the clients forgets that much sooner, which matters when it is hours.

    Args:
        client: a redis-py client, used as it is: ``redis.Redis``, what ``Sentinel.master_for`` gives,
            or ``RedisCluster``. Give it a ``socket_timeout``: without one a silent server stops the sharing
            (never a request) until it speaks again. It is not closed; idle connections are dropped now and then.
        prefix: those who share state have the same one.

    Raises:
        ConfigError: ``client`` is something else.
    """

    def __init__(self, client: Client, *, prefix: str = _PREFIX) -> None:
        self._name = _place(client) + ("" if prefix == _PREFIX else f", prefix {prefix!r}")
        self._client = client
        self._key = f"{prefix}:records"
        self._listener: Listener | None = None
        self._told: SimpleQueue[str | Exception | Again | None] = SimpleQueue()
        self._clock = Clock("", 0)
        self._due = 0
        """The version that must have been heard of by the next look."""
        self._look_at = 0.0

    @classmethod
    def from_url(cls, url: str) -> RedisStore:
        """A store at ``redis://``, ``rediss://`` or ``unix://``, as redis-py understands them.

        ``?prefix=`` is the store's; all else in the query is redis-py's. Unless the URL says otherwise, a
        connection or an answer may take 1 second, and what fails is tried again by the caller only.

        Raises:
            ConfigError: redis-py does not take the URL. The text does not repeat it.
        """
        url, prefix = _without_prefix(url)
        client = _client(url)
        if client is None:
            raise ConfigError(
                "state: the Redis URL is not one that redis-py takes: look at its port, its database and what follows "
                "the '?'. In a user name or password, '%', ':', '/', '?', '#' and '@' are written %25, %3A, %2F, %3F, "
                "%23 and %40"
            )
        return cls(client, prefix=prefix)

    @property
    def name(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"RedisStore({self._name})"

    def open(self) -> None:
        self._told = SimpleQueue()
        self._listener = Listener(self._client, self._key + CHANNEL, self._told)
        self._be_at(Clock.read(text_of(self._run(SAVE))))

    def load(self) -> Iterable[Kept]:
        # What changes while the pages are read may be on none of them, and is told: it is newer than this.
        self._be_at(Clock.read(text_of(self._run(SAVE))))
        found: dict[str, Kept] = {}
        page = _FIRST_PAGE
        while True:
            page, *rest = map(text_of, self._run(LOAD, page))
            # Redis gave out only what has its sum. What has not by now was damaged on its way, and this raises.
            found |= {key: self._read(key, text) for key, text in zip(rest[::2], rest[1::2], strict=True)}
            if page == _FIRST_PAGE:
                return list(found.values())

    def save(self, records: Iterable[Kept]) -> None:
        arguments = [text for record in records for text in self._written(record)]
        for start in range(0, len(arguments), 2 * _BATCH):
            Clock.read(text_of(self._run(SAVE, *arguments[start : start + 2 * _BATCH])))

    def changes(self, seconds: float) -> Iterable[Kept] | None:
        found: list[Kept] = []
        whole = True
        for told in self._waited_for(min(seconds, self._look_at - time.monotonic())):
            if isinstance(told, Exception):
                raise told
            if isinstance(told, Again):
                whole = False
            elif told is not None:
                with contextlib.suppress(ValueError):  # rubbish; if it was a change, its version is missed
                    whole &= self._heard(told, found)
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _GLANCE
            whole = whole and self._is_there()
        return found if whole else None

    def wake(self) -> None:
        if self._told.empty():  # or else nobody waits
            self._told.put(None)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        if isinstance(self._client, redis.Redis):
            # Whoever opens again may be led to another server, when this one is a master no more.
            with contextlib.suppress(Exception):  # of a connection that broke there is nothing to let go
                self._client.connection_pool.disconnect(inuse_connections=False)

    def forsake(self) -> None:
        # The client knows by the process's number whose its connections are, and leaves a parent's alone.
        self._listener = None
        self._told = SimpleQueue()  # the old one's lock may have been taken at the fork

    def _run(self, script: str, *arguments: str) -> Any:
        epoch = uuid.uuid4().hex
        try:
            return self._client.evalsha(sha(script), 1, self._key, epoch, *arguments)
        except NoScriptError:
            return self._client.eval(script, 1, self._key, epoch, *arguments)

    def _be_at(self, clock: Clock) -> None:
        self._clock = clock
        self._due = clock.version
        self._look_at = time.monotonic() + _GLANCE

    def _waited_for(self, seconds: float) -> Iterable[str | Exception | Again | None]:
        """What was told, after waiting for the first of it."""
        try:
            yield self._told.get(timeout=max(seconds, 0.0))
            while True:
                yield self._told.get_nowait()
        except Empty:
            return

    def _heard(self, told: str, found: list[Kept]) -> bool:
        """Take in one published change; False when one before it never came."""
        head, _, text = told.partition("\n")
        at, _, quoted_id = head.rpartition(" ")
        record, clock = self._read(quoted_id, text), Clock.read(at)
        if clock.epoch != self._clock.epoch:
            return True  # of another database of this Redis, which has its keys to itself and not its channels
        found.append(record)
        missed = clock.version > self._clock.version + 1
        self._clock = max(self._clock, clock)  # an older one was under way when everything was loaded
        return not missed

    def _is_there(self) -> bool:
        """Whether the hash is the one that was loaded, and all that was published has been heard.

        Raises:
            redis.ConnectionError: a change of a second ago has not been heard.
        """
        text = self._client.hget(self._key, CLOCK)
        try:
            clock = Clock.read(text_of(text))
        except ValueError:
            return False
        if clock.epoch != self._clock.epoch:
            return False
        if clock.version < self._clock.version:
            self._client.hdel(self._key, CLOCK)  # an older copy, which need not look so to others: for them an epoch
            return False
        if self._clock.version < self._due:
            raise redis.ConnectionError("changes are published that do not arrive")
        self._due = clock.version
        return True

    def _written(self, record: Kept) -> tuple[str, str]:
        quoted_id = quote(record.id, safe=_READABLE, errors="surrogatepass")
        fields = (
            f"{quote(name, safe=_READABLE)} {' '.join(numbers.split())}" for name, numbers in record.fields.items()
        )
        rest = "\n".join([repr(float(record.expires)), *fields])
        return quoted_id, f"{summed(self._key, quoted_id, rest)} {rest}"

    def _read(self, quoted_id: str, text: str) -> Kept:
        """A record from its text; ValueError when it is not whole."""
        sum_, _, rest = text.partition(" ")
        if sum_ != summed(self._key, quoted_id, rest):
            raise ValueError("a record was damaged on its way")
        expires, *lines = rest.split("\n")
        fields = dict(line.split(" ", 1) for line in lines)
        return Kept(
            unquote(quoted_id, errors="surrogatepass"),
            {unquote(name): numbers for name, numbers in fields.items()},
            float(expires),
        )


def _client(url: str) -> redis.Redis | None:
    """A client for ``url``; None when redis-py takes no such thing, whose own words may repeat a password."""
    try:
        redis.ConnectionPool.from_url(url).make_connection()  # connects to nothing; refuses what it does not know
        return redis.Redis.from_url(
            url,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            health_check_interval=10,
            retry=Retry(NoBackoff(), 0),
        )
    except Exception:
        return None


def _without_prefix(url: str) -> tuple[str, str]:
    base, mark, query = url.partition("?")
    ours = [part for part in query.split("&") if part.startswith("prefix=")]
    theirs = "&".join(part for part in query.split("&") if part not in ours)
    return base + (mark if theirs else "") + theirs, unquote(ours[-1].removeprefix("prefix=")) if ours else _PREFIX


def _place(client: object) -> str:
    """Where a client leads, without its password.

    Raises:
        ConfigError: it is no client.
    """
    if isinstance(client, RedisCluster):
        return "redis cluster"
    if not isinstance(client, redis.Redis):
        kind = f"{type(client).__module__}.{type(client).__qualname__}"
        raise ConfigError(f"state: RedisStore takes a redis.Redis or a redis.cluster.RedisCluster, not a {kind}")
    pool = client.connection_pool
    if (service := getattr(pool, "service_name", None)) is not None:
        return f"redis sentinel's {service}"
    options = pool.connection_kwargs
    if path := options.get("path"):
        return f"unix://{path}?db={options.get('db') or 0}"
    scheme = "rediss" if issubclass(pool.connection_class, redis.SSLConnection) else "redis"
    return f"{scheme}://{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db') or 0}"
