"""Webhooks stored a second, compared with the most that the database can insert.

    python -m tests.bench.webhooks [--rounds 5] [--seconds 3] [--clients 8] [--workers 2]

Stored: signed events, sent over open connections to granian with the project's WSGI application.
This measures whole requests: middleware, signature, row, message to a Redis-compatible broker.
Limit: the same row, inserted with psycopg over as many connections, one transaction each, into a
table with the same columns, indexes and constraints. Processed: by one worker, which reads each
object from the sandbox and writes its rows. Most of that is the sandbox's time.
"""

import argparse
import hashlib
import hmac
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psycopg

from newsroom.sandbox.process import start_sandbox
from tests.bench.environment import (
    ROOT,
    WEBHOOK_SECRET,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    name_postgres,
    scratch_folder,
    scratch_postgres,
)
from tests.support.servers import find_free_port, run_redis

TABLE = "campaigns_stripeevent"
SALES_PER_ROUND = 10
_number = count(1)


def make_event() -> tuple[str, bytes]:
    """Return the id and the body of an event about a completed Checkout, about 3 kB."""
    event_id = f"evt_bench_{os.getpid()}_{next(_number)}"
    session = {
        "id": f"cs_test_{event_id}",
        "object": "checkout.session",
        "customer_details": {"email": "reader@example.org", "name": "Ada Reader"},
        "metadata": {"checkout": "00000000-0000-0000-0000-000000000000"},
        "url": "https://checkout.stripe.com/c/pay/" + "x" * 600,
    } | {f"field_{number}": None for number in range(80)}
    event = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "data": {"object": session},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
    return event_id, json.dumps(event, indent=2).encode()


def make_request(port: int) -> bytes:
    _, body = make_event()
    now = int(time.time())
    signed = hmac.new(WEBHOOK_SECRET.encode(), b"%d." % now + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /stripe/webhook/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Stripe-Signature: t={now},v1={signed}\r\n\r\n"
    )
    return head.encode() + body


# Measurements, each a number a second


def measure_stored(port: int, *, clients: int, seconds: float) -> float:
    """Measure stored webhooks. Requests are signed before, and every answer must be a 200."""
    ready = [[make_request(port) for _ in range(int(600 * seconds))] for _ in range(clients)]

    def post_all(client: int, deadline: float) -> int:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for done, request in enumerate(ready[client]):
                if time.perf_counter() > deadline:
                    return done
                connection.sendall(request)
                _await_stored(connection)
        raise RuntimeError("All prepared requests were sent. Use fewer --seconds.")

    return _in_threads(post_all, clients=clients, seconds=seconds)


def _await_stored(connection: socket.socket) -> None:
    answer = b""
    while not answer.endswith((b"stored", b"0\r\n\r\n")):
        answer += (more := connection.recv(65536))
        if not more or not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"The web server answered {answer[:200]!r}")


def measure_limit(url: str, *, clients: int, seconds: float) -> float:
    columns = (
        "event_id, type, object_type, object_id, is_live, payload, created_at, received_at, "
        "status, attempts, next_attempt_at, error"
    )
    insert = (
        f"INSERT INTO bench_limit ({columns}) VALUES (%s, 'checkout.session.completed', "  # noqa: S608
        "'checkout.session', 'cs_test', false, %s, now(), now(), 'new', 0, now(), '')"
    )
    _, body = make_event()
    payload = body.decode()

    def insert_rows(client: int, deadline: float) -> int:
        done = 0
        with psycopg.connect(url, autocommit=True) as connection:
            while time.perf_counter() < deadline:
                connection.execute(insert, (f"evt_limit_{next(_number)}", payload))
                done += 1
        return done

    return _in_threads(insert_rows, clients=clients, seconds=seconds)


def _in_threads(work: Callable[[int, float], int], *, clients: int, seconds: float) -> float:
    done: list[int] = []
    failures: list[BaseException] = []
    began = time.perf_counter()

    def run(client: int) -> None:
        try:
            done.append(work(client, began + seconds))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(done) / (time.perf_counter() - began)


def measure_processed(worker: "subprocess.Popen[str]") -> float:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{SALES_PER_ROUND}\n")
    worker.stdin.flush()
    events, done, seconds = worker.stdout.readline().split()
    if events != done:
        raise RuntimeError(f"Only {done} of {events} events were processed.")
    return int(events) / float(seconds)


# Child processes


@contextmanager
def run_web_server(environment: dict[str, str], *, workers: int, log: Path) -> Iterator[int]:
    port = find_free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "newsroom.wsgi:application"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers), "--no-ws"),
    ]
    with log.open("w") as lines:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=lines, stderr=lines)
        try:
            deadline = time.monotonic() + 30
            while not _answers(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"The web server did not start:\n{log.read_text()}")
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()
            server.wait(timeout=20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)):
            return False
        probe.settimeout(10)
        probe.sendall(make_request(port))
        return probe.recv(65536).startswith(b"HTTP/1.1 200")


@contextmanager
def run_worker(environment: dict[str, str], sandbox_url: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "tests.bench.worker", sandbox_url]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        if worker.stdout.readline() != "ready\n":
            raise RuntimeError("The worker did not start. Its error is above.")
        try:
            yield worker
        finally:
            worker.stdin.close()
            worker.wait(timeout=20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2, help="processes of the web server")
    given = parser.parse_args()
    end_cleanly()
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        url = stack.enter_context(scratch_postgres())
        redis = stack.enter_context(run_redis())
        sandbox = stack.enter_context(
            start_sandbox(folder / "sandbox", webhook_secret=WEBHOOK_SECRET)
        )
        web_environment = make_environment(
            folder / "web", database_url=url, CELERY_BROKER_URL=f"{redis}/0", LOG_LEVEL="INFO"
        )
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=web_environment,
            check=True,
        )
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLE bench_limit (LIKE {TABLE} INCLUDING ALL)")
        worker_environment = web_environment | {
            "DEMO": "true",  # only a demo may name a sandbox
            "STRIPE_API_BASE": sandbox.url,
            "STRIPE_SECRET_KEY": sandbox.secret_key,
            "LOG_LEVEL": "WARNING",
        }
        port = stack.enter_context(
            run_web_server(web_environment, workers=given.workers, log=folder / "web.log")
        )
        worker = stack.enter_context(run_worker(worker_environment, sandbox.url))
        load = {"clients": given.clients, "seconds": given.seconds}
        measures: dict[str, Callable[[], float]] = {
            "limit": lambda: measure_limit(url, **load),
            "stored": lambda: measure_stored(port, **load),
            "processed": lambda: measure_processed(worker),
        }
        taken: dict[str, list[float]] = {name: [] for name in measures}
        for turn in range(given.rounds + 1):
            for name, measure in measures.items():
                figure = measure()
                if turn == 0:  # to warm up
                    continue
                taken[name].append(figure)
                print(f"{name}: {taken[name][-1]:.0f} a second", file=sys.stderr)
        middle = {name: statistics.median(figures) for name, figures in taken.items()}
        ratios = [
            limit / stored for limit, stored in zip(taken["limit"], taken["stored"], strict=True)
        ]
        print(describe_machine(name_postgres(url)))
        print(f"{given.clients} connections, {given.workers} web processes, {given.rounds} rounds")
        print()
        rows = [
            ["rows inserted (the limit)", f"{middle['limit']:.0f}", "1"],
            ["webhooks stored", f"{middle['stored']:.0f}", f"{statistics.median(ratios):.1f}"],
            [
                "events processed, one worker",
                f"{middle['processed']:.0f}",
                f"{middle['limit'] / middle['processed']:.0f}",
            ],
        ]
        print(as_table(["a second", "median", "times slower than the limit"], rows))


if __name__ == "__main__":
    main()
