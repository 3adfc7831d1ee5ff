"""The project's system checks: values that can't be read, and services that don't work.

`manage.py check --deploy` tries each service for real, all at the same time, each with a time
limit. Errors (newsroom.E...) name the variable and the cure; they never repeat a password.
"""

import os
import smtplib
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from campaigns import stripe_api
from newsroom.celery import app

SECONDS = 8.0  # for each service
# Connections besides those of web server and worker: beat, commands, psql.
SPARE_CONNECTIONS = 5


def list_wrong_values(**_: Any) -> list[CheckMessage]:
    """List the variables that could not be read. Only `manage.py check` gets this far with them."""
    return [Error(problem, id="newsroom.E001") for problem in settings.WRONG_VALUES]


def check_rehearsal(**_: Any) -> list[CheckMessage]:
    """Check that a rehearsal moves no real money."""
    if not settings.REHEARSAL or "_live_" not in settings.STRIPE_SECRET_KEY:
        return []
    return [
        Error(
            "STRIPE_SECRET_KEY is a live key, but REHEARSAL is on.",
            hint="Unset REHEARSAL for the campaign, or set a test key or the pretend Stripe's key.",
            id="newsroom.E011",
        )
    ]


def check_translations(**_: Any) -> list[CheckMessage]:
    """Check that the translations are compiled, so that no reader gets English by mistake."""
    sources = [
        source
        for folder in settings.LOCALE_PATHS
        for source in sorted(folder.glob("*/LC_MESSAGES/*.po"))
    ]
    for source in sources:
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            return [
                Error(
                    f"The translations are not compiled: {compiled} is missing or too old.",
                    hint="Run: pybabel compile -d campaigns/locale -D django",
                    id="newsroom.E002",
                )
            ]
    return []


def try_services(**_: Any) -> list[CheckMessage]:
    """Use each service once: database, broker, mail server, Stripe, publish folder."""
    if settings.WRONG_VALUES:  # the defaults in their place would be tried instead
        return []
    trials = (
        Trial("DATABASE_URL", "The database", "newsroom.E003", try_database),
        Trial("CELERY_BROKER_URL", "The broker", "newsroom.E005", try_broker),
        Trial("EMAIL_URL", "The mail server", "newsroom.E007", try_mail_server),
        Trial("STRIPE_SECRET_KEY", "Stripe", "newsroom.E008", try_stripe),
        Trial("PUBLISH_DIR", "The publish folder", "newsroom.E009", try_publish_folder),
    )
    for trial in trials:
        trial.start()
    return [message for trial in trials for message in trial.finish()]


class Trial(threading.Thread):
    """One use of a service, in a thread, because some clients wait without a limit of their own."""

    def __init__(
        self, variable: str, service: str, error_id: str, use: Callable[[], Iterator[CheckMessage]]
    ) -> None:
        super().__init__(daemon=True)
        self.variable, self.service, self.error_id, self.use = variable, service, error_id, use
        self.found: list[CheckMessage] = []

    def run(self) -> None:
        try:
            self.found = list(self.use())
        except Exception as error:  # each client has its own errors
            self.found = [self._make_error(f"doesn't work: {explain(error)}")]

    def finish(self) -> list[CheckMessage]:
        """Return what was found, or an error if the service doesn't answer in time."""
        self.join(SECONDS)
        if self.is_alive():
            return [self._make_error(f"didn't answer within {SECONDS:.0f} seconds.")]
        return self.found

    def _make_error(self, problem: str) -> Error:
        return Error(
            f"{self.service} {problem}",
            hint=f"Check {self.variable}, and that the service runs and can be reached from here.",
            id=self.error_id,
        )


def explain(error: Exception) -> str:
    """Return the error in one line."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "it refused the user name or the password."
    return " ".join(str(error).split()) or type(error).__name__


def try_database() -> Iterator[CheckMessage]:
    """Connect, look for missing migrations, and compare its connections with what we may open."""
    try:
        if connection.vendor == "postgresql":
            yield from _compare_connections()
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            yield Error(
                f"The database lacks {len(missing)} migrations; the first is {missing[0][0]}.",
                hint="Run: manage.py migrate",
                id="newsroom.E004",
            )
    finally:
        connection.close()


def _compare_connections() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
        )
        allowed = int(cursor.fetchone()[0])
    web = settings.WEB_PROCESSES * settings.WEB_THREADS
    needed = web + settings.CELERY_WORKER_CONCURRENCY + SPARE_CONNECTIONS
    if needed > allowed:
        yield Error(
            f"One web server ({settings.WEB_PROCESSES} workers × {settings.WEB_THREADS} threads) "
            f"and one Celery worker ({settings.CELERY_WORKER_CONCURRENCY} threads) may need "
            f"{needed} database connections, but PostgreSQL allows {allowed}.",
            hint="Lower GRANIAN_WORKERS, GRANIAN_BLOCKING_THREADS or CELERY_WORKER_CONCURRENCY, or "
            "raise PostgreSQL's max_connections. With several machines, all of them share it.",
            id="newsroom.E010",
        )


def try_broker() -> Iterator[CheckMessage]:
    """Connect to the broker."""
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=4)
    yield from ()


def try_mail_server() -> Iterator[CheckMessage]:
    """Log in at the mail server. A provider's interface has no call that sends nothing."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return
    mail_server = get_connection()
    try:
        mail_server.open()
    finally:
        mail_server.close()
    if not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or _is_local(settings.EMAIL_HOST)):
        yield Warning(
            "E-mails go to the mail server unencrypted.",
            hint="Begin EMAIL_URL with smtp+tls:// (port 587) or smtp+ssl:// (port 465).",
            id="newsroom.W001",
        )


def _is_local(host: str) -> bool:
    return host in {"127.0.0.1", "localhost", "::1"}


def try_stripe() -> Iterator[CheckMessage]:
    """Ask Stripe for one event, which every key of ours may read."""
    stripe_api.try_key()
    yield from ()


def try_publish_folder() -> Iterator[CheckMessage]:
    """Write a file into the publish folder, readable for the web server that hands it out."""
    settings.PUBLISH_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.PUBLISH_DIR, prefix=".check-") as file:
        file.write(b"written")
    if not os.stat(settings.PUBLISH_DIR).st_mode & 0o005:
        yield Warning(
            f"Only this application can read PUBLISH_DIR: {settings.PUBLISH_DIR}.",
            hint="Let your web server read it: chmod o+rx, or a common group.",
            id="newsroom.W002",
        )
