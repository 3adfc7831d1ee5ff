"""Published files from the application's own server, compared with an empty WSGI page.

    python -m tests.bench.banners [--rounds 5] [--requests 4000]

Both are served by granian with the same options. Requests are sent in batches over one open
connection, so that the client costs little and the server is what is measured. The measurements of
a round follow each other, and each ratio is the median of its rounds. CPU is that of the server.
The cost of the template tag is measured in this process, for an article with three banners.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    scratch_folder,
)
from tests.support.servers import find_free_port

BATCH = 20
PATHS = {
    "campaign page": "/campaign/birthday/en/",
    "campaign page, the reader's language": "/campaign/birthday/",
    "banner": "/campaign/birthday/en/inline.html",
    "data of the web component": "/campaign/birthday/en/inline.json",
    "banner in a frame": "/campaign/birthday/en/inline-frame.html",
    "number": "/campaign/birthday/progress.json",
    "picture": "/campaign/birthday/en/picture.png",
}
HEADER = (
    "answer",
    "bytes",
    "a second",
    "times slower than an empty page",
    "server's CPU, µs",
    "times the CPU of an empty page",
)
SET_UP = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.utils import timezone
from datetime import timedelta
from campaigns.banners import publish_campaign
from tests.support.factories import make_campaign
now = timezone.now()
campaign = make_campaign(starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=9))
publish_campaign(campaign.pk)
"""
TAG = """
import statistics, time
import django
django.setup()
from django.template import Context, engines
tags = "".join('{% banner "birthday" "' + name + '" %}' for name in ("top", "inline", "end"))
template = engines["django"].from_string("{% load campaigns %}" + tags)
assert "campaign-banner" in template.render({})
taken = []
for _ in range(2000):
    start = time.perf_counter()
    template.render({})
    taken.append(time.perf_counter() - start)
print(statistics.median(taken) * 1000)
"""


class Server:
    """A granian server with one connection to it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process, self.port = process, port
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_cpu(self) -> float:
        """Return the CPU seconds of the server and its workers."""
        ids = [self.process.pid]
        for entry in Path(f"/proc/{self.process.pid}/task").iterdir():
            ids += map(int, (entry / "children").read_text().split())
        ticks = 0
        for process_id in ids:
            fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def measure(self, path: str, *, requests: int) -> tuple[float, float, int]:
        """Return seconds and CPU seconds of an answer, and the size of its body."""
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            "Accept-Encoding: gzip, br\r\n\r\n"
        ).encode()
        self.connection.sendall(request)
        first = self._receive_first()
        if not first.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"The server answered {first[:200]!r}")
        body = len(first.partition(b"\r\n\r\n")[2])
        cpu, start = self.read_cpu(), time.perf_counter()
        for _ in range(requests // BATCH):
            self.connection.sendall(request * BATCH)
            self._receive(len(first) * BATCH)
        number = requests // BATCH * BATCH
        return (time.perf_counter() - start) / number, (self.read_cpu() - cpu) / number, body

    def _receive_first(self) -> bytes:
        answer = b""
        while True:
            answer += self.connection.recv(1 << 20)
            head, end, body = answer.partition(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if b"content-length" in line]
            if end and lengths and len(body) == int(lengths[0].partition(b":")[2]):
                return answer

    def _receive(self, size: int) -> None:
        while size:
            received = len(self.connection.recv(min(size, 1 << 20)))
            if not received:
                raise RuntimeError("The server closed the connection.")
            size -= received


@contextmanager
def run_server(application: str, environment: dict[str, str]) -> Iterator[Server]:
    port = find_free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
        *("--port", str(port), "--no-ws", "--blocking-threads", "4", "--log-level", "warning"),
        application,
    ]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            yield connect(process, port)
        finally:
            process.terminate()


def connect(process: "subprocess.Popen[bytes]", port: int) -> Server:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            return Server(process, port)
        time.sleep(0.1)
    raise RuntimeError("The server did not start.")


def measure_all(
    ours: Server, empty: Server, *, rounds: int, requests: int
) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table."""
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ("empty page", *PATHS)}
    for _ in range(rounds + 1):
        found["empty page"].append(empty.measure("/", requests=requests))
        for name, path in PATHS.items():
            found[name].append(ours.measure(path, requests=requests))
    least = found["empty page"][1:]  # the first round warms up
    for name, measured in found.items():
        kept = measured[1:]
        slower = statistics.median(a[0] / b[0] for a, b in zip(kept, least, strict=True))
        dearer = statistics.median(a[1] / b[1] for a, b in zip(kept, least, strict=True))
        yield (
            name,
            f"{kept[0][2]:,}",
            f"{1 / statistics.median(each[0] for each in kept):,.0f}",
            f"{slower:.1f}",
            f"{statistics.median(each[1] for each in kept) * 1e6:.0f}",
            f"{dearer:.1f}",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000)
    given = parser.parse_args()
    end_cleanly()
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        environment = make_environment(
            folder,
            database_url=f"sqlite:///{folder}/bench.sqlite3",
            DEMO="true",
            LOG_LEVEL="WARNING",
            PUBLISH_DIR=str(folder / "published"),
        )
        subprocess.run([sys.executable, "-c", SET_UP], cwd=ROOT, env=environment, check=True)
        ours = stack.enter_context(run_server("newsroom.wsgi:application", environment))
        empty = stack.enter_context(run_server("tests.bench.empty:application", environment))
        rows = list(measure_all(ours, empty, rounds=given.rounds, requests=given.requests))
        tag = subprocess.run(
            [sys.executable, "-c", TAG],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    print(describe_machine("SQLite"))
    print()
    print(as_table(HEADER, rows))
    print()
    print(f"Three banners in a Django template: {float(tag.stdout):.3f} ms")


if __name__ == "__main__":
    main()
