"""Where state may be kept: any URL redis-py takes, a client of one's own, TLS, a cluster, behind a password."""

from __future__ import annotations

import logging

import pytest
import redis
import redis.asyncio
from redis.cluster import ClusterNode, RedisCluster

import sparekey as sk
from sparekey.state._redis import RedisStore

PASSWORD = "correct-horse/battery@staple"


@pytest.mark.parametrize(
    "query", ["", "protocol=3", "protocol=2", "decode_responses=1", "protocol=3&decode_responses=1"]
)
def test_any_dialect_of_redis_will_do(place, stores, hears, record, query):
    """RESP 2 and 3, and a client that decodes, are the same to the store."""
    one, other = stores(f"{place}&{query}"), stores(place)

    one.save([record("told")])
    other.save([record("answered")])

    assert set(hears(other, 2)) == set(hears(one, 2)) == {kept.id for kept in one.load()} == {"told", "answered"}


def test_prefixes_keep_apart(redis_url, place, stores, record):
    """Who has another prefix shares nothing, and hears nothing."""
    one, other = stores(place), stores(f"{place}-other")

    one.save([record()])

    assert list(other.load()) == []
    assert other.changes(0.2) == []


def test_databases_keep_apart(start_redis, stores, record, hears):
    """Redis tells all databases' changes on one channel; who uses another number takes in none of them."""
    server = start_redis()
    one, same, other = (stores(server.url[:-1] + number) for number in "112")

    one.save([record()])

    assert set(hears(same)) == {"key-1"}
    assert other.changes(0.2) == []
    assert list(other.load()) == []


def test_a_prefix_may_be_any_text(place, stores, record, hears):
    """Umlauts, blanks and braces in a prefix are part of a key, no more."""
    where = f"{place}-gr%C3%BC%7Bn%7D%20%25"
    one, other = stores(where), stores(where)

    one.save([record()])

    assert set(hears(other)) == {"key-1"}
    assert one.name.endswith("-grü{n} %'")


def test_a_client_of_ones_own_is_used_and_left_open(client, prefix, stores, hears, record):
    """The store takes the client as it is, and closing the store does not close it."""
    one, other = stores(RedisStore(client, prefix=prefix)), stores(RedisStore(client, prefix=prefix))
    one.save([record()])
    assert set(hears(other)) == {"key-1"}

    one.close()

    assert client.ping()


@pytest.mark.parametrize("thing", [redis.asyncio.Redis(), "redis://localhost", None])
def test_what_is_no_client_is_refused(thing):
    """An asynchronous client, or a URL in the wrong place, is told at once."""
    with pytest.raises(sk.ConfigError, match=r"RedisStore takes a redis.Redis or a redis.cluster.RedisCluster, not a "):
        RedisStore(thing)


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@localhost",
        f"redis://:{PASSWORD}@localhost:port/0",
        f"redis://:x@localhost/0?{PASSWORD}=1",
        f"redis://:x@localhost/0?db={PASSWORD}",
        f"amqp://:{PASSWORD}@localhost",
    ],
)
def test_a_url_that_cannot_be_is_told_without_repeating_it(url):
    """The error says where to look; a password that was not quoted stays unsaid, in causes too."""
    with pytest.raises(sk.ConfigError, match="redis-py takes: look at its port") as caught:
        RedisStore.from_url(url)

    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "horse" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://", "redis://localhost:6379/0"),
        ("redis://:secret@cache:7000/3", "redis://cache:7000/3"),
        ("rediss://user:secret@cache?prefix=team-a", "rediss://cache:6379/0, prefix 'team-a'"),
        ("unix://user:secret@/run/redis.sock?db=2&prefix=sparekey", "unix:///run/redis.sock?db=2"),
        ("redis://cache?password=secret&username=user", "redis://cache:6379/0"),
    ],
)
def test_a_name_says_where_and_never_the_password(url, name):
    """What a log may show of a store is its place."""
    store = RedisStore.from_url(url)

    assert store.name == name
    assert repr(store) == f"RedisStore({name})"


def test_a_password_opens_the_store_and_is_never_said(start_redis, stores, hears, record, caplog):
    """With the right password it works; with the wrong one no name, error or log repeats it."""
    caplog.set_level(logging.DEBUG)
    server = start_redis("--requirepass", PASSWORD)
    right = f"redis://:correct-horse%2Fbattery%40staple@127.0.0.1:{server.port}/0"
    one, other = stores(right), stores(right)
    one.save([record()])
    assert set(hears(other)) == {"key-1"}

    wrong = RedisStore.from_url(right.replace("correct", "incorrect"))
    with pytest.raises(redis.AuthenticationError) as caught:
        wrong.open()

    assert "horse" not in f"{caught.value!r} {wrong!r} {wrong.name} {one!r} {caplog.text}"


RIGHTS = "~sparekey:* resetchannels &sparekey:* -@all +eval +evalsha +hget +hset +hdel +hscan +time +ttl +expire"
"""All that a user of the store needs to be allowed."""


def test_a_user_with_few_rights_will_do(start_redis, stores, hears, record):
    """The rights the documentation lists are enough."""
    server = start_redis()
    rights = [*RIGHTS.split(), "+publish", "+subscribe", "+ping"]
    server.client().execute_command("ACL", "SETUSER", "worker", "on", ">secret", *rights)
    where = f"redis://worker:secret@127.0.0.1:{server.port}/0"
    one, other = stores(where), stores(where)

    one.save([record()])

    assert set(hears(other)) == {"key-1"}


def test_tls_is_spoken_and_the_server_is_verified(start_redis, proxy, stores, hears, record, certificate):
    """``rediss://`` works with a certificate that is trusted, and with no other."""
    context, trusted = certificate
    secure = proxy(start_redis().port, tls=context)
    one, other = (stores(f"{secure.url}?ssl_ca_certs={trusted}") for _ in range(2))
    one.save([record()])

    assert set(hears(other)) == {"key-1"}
    assert one.name.startswith("rediss://")
    with pytest.raises(redis.ConnectionError, match=r"(?i)certificate"):
        RedisStore.from_url(secure.url).open()


def test_a_socket_file_will_do(tmp_path_factory, start_redis, stores, hears, record):
    """``unix://`` reaches a Redis on the same machine without a port."""
    path = tmp_path_factory.mktemp("s") / "s"  # short: a socket's path has a hundred letters at most
    start_redis("--unixsocket", path)
    one, other = stores(f"unix://{path}"), stores(f"unix://{path}")

    one.save([record()])

    assert set(hears(other)) == {"key-1"}


def test_a_cluster_will_do(start_redis, stores, hears, record, until):
    """In a real cluster of two masters every prefix works, whichever of the two it belongs to."""
    servers = [start_redis("--cluster-enabled", "yes") for _ in range(2)]
    one, other = (server.client() for server in servers)
    one.execute_command("CLUSTER", "ADDSLOTS", *range(8192))
    other.execute_command("CLUSTER", "ADDSLOTS", *range(8192, 16384))
    one.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[1].port)
    until(lambda: all(each.cluster("INFO")["cluster_state"] == "ok" for each in (one, other)))
    until(lambda: all(len(each.cluster("NODES")) == 2 for each in (one, other)))
    clients = [RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", server.port)]) for server in servers]

    for prefix in ("sparekey", "a", "b", "c"):
        first, second = (stores(RedisStore(client, prefix=prefix)) for client in clients)
        first.save([record(prefix)])
        assert set(hears(second)) == {prefix}
        assert [kept.id for kept in second.load()] == [prefix]

    assert one.dbsize() > 0, "all went to one of the two"
    assert other.dbsize() > 0, "all went to one of the two"
    for client in clients:
        client.close()


def test_a_sentinel_moves_the_store_to_the_new_master(start_redis, stores, hears, record, until, tmp_path):
    """When the master dies, opening anew finds the replica that took over, with all that it knew."""
    master = start_redis()
    replica = start_redis("--replicaof", "127.0.0.1", master.port)
    until(lambda: replica.client().info("replication")["master_link_status"] == "up")
    written = tmp_path / "sentinel.conf"
    written.write_text(
        f"sentinel monitor keys 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds keys 300\nsentinel failover-timeout keys 3000\n"
    )
    guard = start_redis("--sentinel", config=written)
    until(lambda: int(guard.client().sentinel_master("keys")["num-slaves"]) == 1)
    sentinel = redis.Sentinel([("127.0.0.1", guard.port)], socket_timeout=1)
    one, other = (stores(RedisStore(sentinel.master_for("keys", socket_timeout=1))) for _ in range(2))
    assert one.name == "redis sentinel's keys"
    one.save([record("before")])
    assert set(hears(other)) == {"before"}
    until(lambda: replica.client().exists("sparekey:records"))

    master.kill()
    with pytest.raises(redis.RedisError):
        hears(other)
    until(lambda: _opens(one) and _opens(other))
    one.save([record("after")])

    assert set(hears(other)) == {"after"}
    assert {kept.id for kept in other.load()} == {"before", "after"}


def _opens(store):
    store.close()
    try:
        store.open()
        store.load()
    except redis.RedisError:
        return False
    return True
