"""The parts of the running process: database, HTTP server, webhook sender and scheduler."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection

from newsroom.sandbox import (
    clock,
    context,
    deliveries,
    documents,
    endpoints,
    schedule,
    server,
    settings,
)

logger = logging.getLogger(__name__)
TICK_SECONDS = 0.5


def set_default_receiver() -> None:
    """Use the command line's webhook receiver. Without one, keep that of the last run."""
    state = clock.load_state()
    if settings.SANDBOX_WEBHOOK_URL:
        state.webhook_url = settings.SANDBOX_WEBHOOK_URL
    if settings.SANDBOX_WEBHOOK_URL or not state.webhook_secret:
        state.webhook_secret = settings.SANDBOX_WEBHOOK_SECRET
    state.save()
    endpoints.set_receiver(state.webhook_url, secret=state.webhook_secret)


class Scheduler(threading.Thread):
    """Works on due objects while the clock runs."""

    def __init__(self) -> None:
        super().__init__(name="scheduler", daemon=True)
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(TICK_SECONDS):
            if clock.is_frozen():
                continue
            try:
                schedule.run_due_objects()
            except Exception:
                logger.exception("The scheduler failed")
        connection.close()


@contextmanager
def serve(port: int) -> Iterator[str]:
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    with documents.write_transaction():
        set_default_receiver()
    http = server.make_server(port, get_wsgi_application())
    url = f"http://127.0.0.1:{http.server_address[1]}"
    context.address.base_url = url
    sender, scheduler = deliveries.WebhookSender(), Scheduler()
    threads = [
        threading.Thread(target=http.serve_forever, args=(0.1,), daemon=True),
        sender,
        scheduler,
    ]
    for thread in threads:
        thread.start()
    try:
        yield url
    finally:
        scheduler.stopping.set()
        deliveries.stop_sender()
        http.shutdown()
        http.socket.close()
        sender.join(timeout=1)
