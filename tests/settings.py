"""The project's settings for tests, independent of a developer's `.env`.

The environment variables are set before the settings are imported, so that processes started by
tests (worker, web server, sandbox) use them too.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


def _make_test_dir() -> str:
    folder = tempfile.mkdtemp(prefix="tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _choose_redis_database(url: str, *, index: int) -> str:
    """Return the URL with its database number increased by `index`."""
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + index
    return urlunsplit(parts._replace(path=f"/{number}"))


# Parallel test processes (pytest-xdist: gw0, gw1, ...) share nothing.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_index = int(_worker.removeprefix("gw"))
if "TEST_DIR" not in os.environ:
    os.environ["TEST_DIR"] = _make_test_dir()
_data_dir = Path(os.environ["TEST_DIR"]) / _worker
_data_dir.mkdir(exist_ok=True)

os.environ |= {
    "ENV_FILE": os.devnull,
    "DATA_DIR": str(_data_dir),
    "PUBLISH_DIR": str(_data_dir / "published"),
    "MAIL_DIR": str(_data_dir / "mails"),
    "DEMO": "true",
    "DEBUG": "false",
    "LOG_LEVEL": "WARNING",
    "STRIPE_CALLS_PER_SECOND": "0",
}
if os.environ.get("CELERY_BROKER_URL", "").startswith("redis") and "TEST_BROKER" not in os.environ:
    os.environ["TEST_BROKER"] = os.environ["CELERY_BROKER_URL"]
if "TEST_BROKER" in os.environ:
    os.environ["CELERY_BROKER_URL"] = _choose_redis_database(
        os.environ["TEST_BROKER"], index=_index
    )

from newsroom.settings import *  # noqa: E402, F403 - it reads the variables set above
from newsroom.settings import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

# tests/support/database.py creates the database. It is a file, because the threads and processes of
# a test must share it.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["NAME"] = str(_data_dir / "test.sqlite3")
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA busy_timeout=20000;"
    )
else:
    DATABASES["default"]["NAME"] = f"test_{DATABASES['default']['NAME']}_{_worker}"
    # A test's database may lose its last commits in a power failure.
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"
# Slow password hashing would cost minutes.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Enables the webhooks of an e-mail provider. E-mails stay in memory.
MAIL_PROVIDER, HAS_ANYMAIL = "postmark", True
INSTALLED_APPS += ["anymail"]
