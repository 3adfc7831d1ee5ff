"""Child process of the benchmark of deliveries: fills its database and prints milliseconds."""

import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - needs the set-up
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns import jobs, members  # noqa: E402
from campaigns.deliveries.sending import AT_ONCE, HEADERS  # noqa: E402
from campaigns.deliveries.signatures import make_headers  # noqa: E402
from campaigns.models import (  # noqa: E402
    ApiClient,
    AttemptCount,
    Member,
    OutgoingEvent,
    WebhookDelivery,
    WebhookEndpoint,
)
from campaigns.models.webhook import make_webhook_secret  # noqa: E402
from tests.support.factories import make_plan  # noqa: E402

# Questions of a round, and how many follow each other before the empty page has its turn.
QUESTIONS, IN_TURN = 500, 25
# Reads requests on connections that stay open and answers, so that both sides measure the sender.
RECEIVER = r"""
import socket, sys, threading
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
print("ready", flush=True)
def answer(client):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        if end:
            size = int(head.lower().partition(b"content-length:")[2].split()[0])
            if len(body) >= size:
                data = body[size:]
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                continue
        more = client.recv(65536)
        if not more:
            return
        data += more
while True:
    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
"""


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fill(size: int) -> None:
    """Create members with a yearly subscription each; the database makes them from a series."""
    plan = make_plan()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_member (email, name, language, created_at) "
            "SELECT 'reader' || n || '@example.org', '', 'en', now() "
            "FROM generate_series(1, %s) AS n",
            [size],
        )
        cursor.execute(
            "INSERT INTO campaigns_membership (member_id, plan_id, source, status, started_at, "
            "ends_at, is_cancelling, note) SELECT id, %s, 'subscription', 'active', now(), "
            "now() + interval '1 year', false, '' FROM campaigns_member",
            [plan.pk],
        )
        cursor.execute("ANALYZE")


def write_events(endpoint: WebhookEndpoint, number: int) -> None:
    people = list(Member.objects.order_by("pk")[:number])
    events = OutgoingEvent.objects.bulk_create(
        [
            OutgoingEvent(
                type="member.joined",
                member=person,
                data={
                    "member": {
                        "id": person.pk,
                        "email": person.email,
                        "name": "",
                        "language": "en",
                    },
                    "access": {"has_access": True, "state": "active", "until": None, "plan": "x"},
                },
            )
            for person in people
        ],
        batch_size=1000,
    )
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(endpoint=endpoint, event=event, member_id=event.member_id)
            for event in events
        ],
        batch_size=1000,
    )


def post_bare(port: int, body: bytes, number: int) -> None:
    """Post the body so many times, signed, on connections that stay open, some at once."""
    lines = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(AT_ONCE)]
    secrets = [make_webhook_secret()]
    for first in range(0, number, AT_ONCE):
        for line in lines:
            headers = make_headers(f"msg_{first:032}", body, secrets=secrets, at=timezone.now())
            line.request("POST", "/hook", body, headers | HEADERS)
        for line in lines:
            line.getresponse().read()
    for line in lines:
        line.close()


def time_each(work: Callable[[], object], number: int) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) / number * 1000


def time_both(work: Callable[[], object], number: int) -> tuple[float, float]:
    """Return the milliseconds of each, on the clock and of this process's processor."""
    started = time.process_time()
    taken = time_each(work, number)
    return taken, (time.process_time() - started) / number * 1000


def measure_deliveries(number: int, rounds: int) -> dict[str, float]:
    port = find_free_port()
    command = [sys.executable, "-c", RECEIVER, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as receiver:
        try:
            assert receiver.stdout is not None
            receiver.stdout.readline()
            return measure_rounds(port, number, rounds)
        finally:
            receiver.terminate()


def deliver_all() -> None:
    while jobs.run_due_jobs("webhooks"):
        pass


def measure_rounds(port: int, number: int, rounds: int) -> dict[str, float]:
    endpoint = WebhookEndpoint.objects.create(
        name="bench", url=f"http://127.0.0.1:{port}/hook", events=["member.joined"]
    )
    ours, bare = [], []
    for turn in range(rounds + 1):
        OutgoingEvent.objects.all().delete()
        write_events(endpoint, number)
        first = OutgoingEvent.objects.order_by("pk").first()
        assert first is not None
        body = json.dumps(first.payload).encode()
        bare_ms = time_both(partial(post_bare, port, body, number), number)
        ours_ms = time_both(deliver_all, number)
        left = WebhookDelivery.objects.filter(delivered_at=None)
        assert not left, list(left.values_list("attempts", "status", "error")[:3])
        if turn:  # the first one warms up
            bare.append(bare_ms)
            ours.append(ours_ms)
    found: dict[str, float] = {}
    for place, name in enumerate(("delivery", "sender")):
        pairs = [(a[place], b[place]) for a, b in zip(ours, bare, strict=True)]
        found |= {
            name: statistics.median(a for a, _ in pairs),
            f"{name}_least": statistics.median(b for _, b in pairs),
            f"{name}_times": statistics.median(a / b for a, b in pairs),
        }
    return found


def ask_pages(port: int, paths: list[str], token: str) -> None:
    pages = http.client.HTTPConnection("127.0.0.1", port)
    for path in paths:
        pages.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = pages.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    pages.close()


def measure_access(size: int, rounds: int, ours: int, empty: int) -> dict[str, float]:
    client = ApiClient(name="bench")
    token = members.make_token(client)
    client.save()
    chance = random.Random(1)  # noqa: S311 - not a secret
    asked, least = [], []
    for number in range(rounds + 1):
        AttemptCount.objects.all().delete()  # or the limit of questions a minute would be reached
        for _ in range(QUESTIONS // IN_TURN):
            paths = [
                f"/api/access?email=reader{chance.randint(1, size)}@example.org"
                for _ in range(IN_TURN)
            ]
            empty_ms = time_each(partial(ask_pages, empty, ["/"] * IN_TURN, token), IN_TURN)
            access_ms = time_each(partial(ask_pages, ours, paths, token), IN_TURN)
            if number:  # the first round warms up
                least.append(empty_ms)
                asked.append(access_ms)
    return {
        "access": statistics.median(asked),
        "access_least": statistics.median(least),
        "access_times": statistics.median(a / b for a, b in zip(asked, least, strict=True)),
    }


def main() -> None:
    number, size, rounds, ours, empty = map(int, sys.argv[1:])
    call_command("migrate", verbosity=0)
    fill(max(size, number))
    took = measure_deliveries(number, rounds) if number else {}
    if size:
        took |= measure_access(size, rounds, ours, empty)
    print(json.dumps(took))


main()
