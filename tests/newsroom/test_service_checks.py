"""`manage.py check --deploy` uses each service, and names the variable of one that doesn't work."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.conf import LazySettings
from django.core.checks import CheckMessage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from newsroom import checks
from newsroom.sandbox.control import SandboxControl
from tests.support.mail_server import MailServer

CLOSED_PORT = 9  # no server listens on this port
SMTP = {
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": CLOSED_PORT,
}


def try_one(
    variable: str, error_id: str, use: Callable[[], Iterator[CheckMessage]]
) -> list[CheckMessage]:
    trial = checks.Trial(variable, "It", error_id, use)
    trial.start()
    return trial.finish()


def test_working_services_pass(
    sandbox: SandboxControl, settings: LazySettings, transactional_db: None
) -> None:
    assert checks.try_services() == []
    assert list(settings.PUBLISH_DIR.iterdir()) == []


@pytest.mark.django_db
def test_missing_migrations_are_counted_and_named() -> None:
    [(_, newest)] = MigrationLoader(connection).graph.leaf_nodes("campaigns")
    MigrationRecorder(connection).record_unapplied("campaigns", newest)
    (error,) = [message for message in checks.try_database() if message.id == "newsroom.E004"]
    assert f"lacks 1 migrations; the first is campaigns.{newest}" in error.msg
    assert error.hint == "Run: manage.py migrate"


@pytest.mark.both_databases
@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="SQLite has no limit of connections",
)
@pytest.mark.django_db
def test_more_threads_than_connections_are_an_error(settings: LazySettings) -> None:
    settings.WEB_PROCESSES, settings.WEB_THREADS = 20, 50
    (error,) = checks.try_database()
    assert error.id == "newsroom.E010"
    assert "20 workers × 50 threads" in error.msg
    assert "GRANIAN_BLOCKING_THREADS" in str(error.hint)


def test_a_broker_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery would prefer it
    monkeypatch.setattr(checks, "app", Celery(broker=f"redis://127.0.0.1:{CLOSED_PORT}/0"))
    (error,) = try_one("CELERY_BROKER_URL", "newsroom.E005", checks.try_broker)
    assert "CELERY_BROKER_URL" in str(error.hint)


def test_a_mail_server_that_refuses_is_named(settings: LazySettings) -> None:
    for name, value in SMTP.items():
        setattr(settings, name, value)
    (error,) = try_one("EMAIL_URL", "newsroom.E007", checks.try_mail_server)
    assert "refused" in error.msg
    assert "EMAIL_URL" in str(error.hint)


@pytest.mark.parametrize(
    ("login", "problem"),
    [(b"535 Bad password of ada", "it refused the user name or the password."), (b"235 OK", "")],
)
def test_the_log_in_at_the_mail_server_is_tried(
    login: bytes, problem: str, settings: LazySettings
) -> None:
    with MailServer(login=login) as server:
        account = {"EMAIL_HOST_USER": "ada", "EMAIL_HOST_PASSWORD": "secret"}
        for name, value in (SMTP | account | {"EMAIL_PORT": server.port}).items():
            setattr(settings, name, value)
        found = try_one("EMAIL_URL", "newsroom.E007", checks.try_mail_server)
    assert [message.msg for message in found] == (
        [f"It doesn't work: {problem}"] if problem else []
    )


def test_a_key_that_stripe_refuses_is_named(
    sandbox: SandboxControl, settings: LazySettings
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_of_another_account"
    (error,) = try_one("STRIPE_SECRET_KEY", "newsroom.E008", checks.try_stripe)
    assert "STRIPE_SECRET_KEY" in str(error.hint)
    assert "sk_test_of_another_account" not in error.msg


def test_a_folder_that_takes_no_files_is_named(settings: LazySettings) -> None:
    settings.PUBLISH_DIR = Path("/proc/1/published")
    (error,) = try_one("PUBLISH_DIR", "newsroom.E009", checks.try_publish_folder)
    assert "PUBLISH_DIR" in str(error.hint)


def test_a_folder_that_the_web_server_cannot_read_is_a_warning(settings: LazySettings) -> None:
    settings.PUBLISH_DIR.mkdir()
    settings.PUBLISH_DIR.chmod(0o700)
    (warning,) = checks.try_publish_folder()
    assert warning.id == "newsroom.W002"
    settings.PUBLISH_DIR.chmod(0o755)
    assert list(checks.try_publish_folder()) == []


def test_a_service_that_never_answers_is_named_after_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "SECONDS", 0.2)
    begin = time.monotonic()

    def wait() -> Iterator[CheckMessage]:
        time.sleep(3)
        yield from ()

    (error,) = try_one("EMAIL_URL", "newsroom.E007", wait)
    assert time.monotonic() - begin < 2
    assert "didn't answer within 0 seconds" in error.msg


def test_translations_that_are_missing_or_old_are_an_error(
    settings: LazySettings, tmp_path: Path
) -> None:
    source = tmp_path / "uk" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.touch()
    settings.LOCALE_PATHS = [tmp_path]
    (error,) = checks.check_translations()
    assert error.id == "newsroom.E002"
    assert "pybabel compile" in str(error.hint)
    compiled = source.with_suffix(".mo")
    compiled.touch()
    assert checks.check_translations() == []
    os.utime(compiled, (1, 1))
    assert len(checks.check_translations()) == 1


def test_a_rehearsal_with_a_live_key_is_an_error(settings: LazySettings) -> None:
    settings.REHEARSAL, settings.STRIPE_SECRET_KEY = True, "sk_live_0123456789"
    (error,) = checks.check_rehearsal()
    assert error.id == "newsroom.E011"
    settings.STRIPE_SECRET_KEY = "sk_test_0123456789"
    assert checks.check_rehearsal() == []
