"""The process's moving parts: database, server thread, courier and ticker."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection

from newsroom.sandbox import clock, context, deliveries, documents, schedule, server, settings

logger = logging.getLogger(__name__)
TICK_SECONDS = 0.5


def set_default_receiver() -> None:
    """What the command line says, at the start and after a reset. A restart without one keeps the
    last.
    """
    standing = clock.load_standing()
    if settings.SANDBOX_WEBHOOK_URL:
        standing.webhook_url = settings.SANDBOX_WEBHOOK_URL
    if settings.SANDBOX_WEBHOOK_URL or not standing.webhook_secret:
        standing.webhook_secret = settings.SANDBOX_WEBHOOK_SECRET
    standing.save()


class Ticker(threading.Thread):
    """Lets happen what falls due while the clock runs by itself."""

    def __init__(self) -> None:
        super().__init__(name="ticker", daemon=True)
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(TICK_SECONDS):
            if clock.is_frozen():
                continue
            try:
                schedule.run_due()
            except Exception:
                logger.exception("The ticker stumbled")
        connection.close()


@contextmanager
def serving(port: int) -> Iterator[str]:
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    with documents.writing():
        set_default_receiver()
    http = server.make_server(port, get_wsgi_application())
    url = f"http://127.0.0.1:{http.server_address[1]}"
    context.address.base_url = url
    courier, ticker = deliveries.Courier(), Ticker()
    threads = [
        threading.Thread(target=http.serve_forever, args=(0.1,), daemon=True),
        courier,
        ticker,
    ]
    for thread in threads:
        thread.start()
    try:
        yield url
    finally:
        ticker.stopping.set()
        deliveries.stop()
        http.shutdown()
        http.socket.close()
        courier.join(timeout=1)
