"""Each check by its id: the one setting that sets it off, and that it says how to mend it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import CheckMessage, run_checks

from campaigns import checks

ROOT = Path(__file__).resolve().parents[1]
SECRET = "made-up-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz"
SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "campaigns"}}
FILE_CACHE = {"default": {"BACKEND": "newsroom.cache.CountingFileCache", "LOCATION": "/nowhere"}}
REDIS_CACHE = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}

# What a newsroom would set; none of the checks has anything to say to it.
GOOD: dict[str, Any] = {
    "DEMO": False,
    "DEBUG": False,
    "SECRET_KEY": SECRET,
    "GIFT_CODE_KEY": SECRET,
    "STRIPE_SECRET_KEY": "sk_live_0123456789",
    "STRIPE_WEBHOOK_SECRET": ["whsec_0123456789"],
    "STRIPE_API_BASE": "",
    "SITE_URL": "https://members.example.org",
    "ALLOWED_HOSTS": ["members.example.org"],
    "CELERY_BROKER_URL": "redis://127.0.0.1/0",
    "DEFAULT_FROM_EMAIL": "members@example.org",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "GIFT_CODE_KEY_FALLBACKS": [],
    "MAIL_PROVIDER": "",
    "HAS_ANYMAIL": True,
    "ANYMAIL": {},
    "STAFF_EMAIL": "",
    "GRACE_DAYS": 14,
    "DATABASES": POSTGRES,
    "CACHES": REDIS_CACHE,
}

LOCAL = {"SITE_URL": "http://127.0.0.1:8000", "ALLOWED_HOSTS": ["127.0.0.1"]}
DEMO = LOCAL | {"DEMO": True}

# (id, what is set otherwise, what the message has to name)
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    (
        "E001",
        {"SECRET_KEY": "demo-only-secret-key-that-everybody-can-read-0123456789"},
        "SECRET_KEY",
    ),
    ("E001", LOCAL | {"STRIPE_SECRET_KEY": "sk_test_demo"}, "STRIPE_SECRET_KEY"),
    (
        "E005",
        {"STRIPE_WEBHOOK_SECRET": ["whsec_0123456789", "whsec_demo"]},
        "STRIPE_WEBHOOK_SECRET",
    ),
    ("E001", {"GIFT_CODE_KEY": "demo-only-gift-code-key"}, "GIFT_CODE_KEY"),
    ("E002", {"SECRET_KEY": "x" * 31}, "SECRET_KEY"),
    ("E002", {"GIFT_CODE_KEY": "x" * 31}, "GIFT_CODE_KEY"),
    ("E002", {"GIFT_CODE_KEY_FALLBACKS": [SECRET, "short"]}, "GIFT_CODE_KEY_FALLBACKS"),
    ("E017", {"STAFF_EMAIL": "Staff <staff>"}, "STAFF_EMAIL"),
    ("E018", {"MAIL_PROVIDER": "postmark", "HAS_ANYMAIL": False}, "anymail"),
    ("E019", {"MAIL_PROVIDER": "pigeon"}, "pigeon"),
    ("E019", {"MAIL_PROVIDER": "post mark"}, "post mark"),
    ("W006", {"MAIL_PROVIDER": "postmark"}, "WEBHOOK_SECRET"),
    ("E003", {"STRIPE_SECRET_KEY": "pk_live_0123456789"}, "publishable"),
    ("E003", {"STRIPE_SECRET_KEY": ""}, "no secret key"),
    ("E004", DEMO, "real money"),
    ("E005", {"STRIPE_WEBHOOK_SECRET": []}, "not set"),
    ("E006", {"STRIPE_WEBHOOK_SECRET": ["sk_live_0123456789"]}, "no webhook secret"),
    ("E007", {"STRIPE_API_BASE": "http://127.0.0.1:4242"}, "STRIPE_API_BASE"),
    (
        "E008",
        DEMO | {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": "http://sandbox.example"},
        "secret key",
    ),
    ("E009", {"SITE_URL": "members.example.org"}, "members.example.org"),
    ("E010", {"SITE_URL": "https://members.example.org/"}, "after the host"),
    ("E011", {"SITE_URL": "http://members.example.org"}, "https"),
    ("E012", {"ALLOWED_HOSTS": ["example.org"]}, "ALLOWED_HOSTS"),
    ("E013", {"DEMO": True, "STRIPE_SECRET_KEY": "sk_test_1"}, "DEMO"),
    ("E014", {"CELERY_BROKER_URL": "sqs://"}, "sqs"),
    ("E014", {"CELERY_BROKER_URL": ""}, "nothing"),
    ("E015", {"PUBLISH_DIR": "/proc/1/published"}, "/proc/1/published"),
    ("E016", {"DEFAULT_FROM_EMAIL": "The Post <members@example.org>"}, "DEFAULT_FROM_EMAIL"),
    ("E020", {"EVENT_RETENTION_DAYS": -1}, "EVENT_RETENTION_DAYS"),
    ("E021", {"GRACE_DAYS": -1}, "GRACE_DAYS"),
    ("E021", {"GRACE_DAYS": 366}, "GRACE_DAYS"),
    ("W001", {"STRIPE_SECRET_KEY": "sk_test_0123456789"}, "no real payment"),
    (
        "W002",
        {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"},
        "printed, not sent",
    ),
    ("W003", {"DATABASES": SQLITE}, "SQLite"),
    ("W004", {"CELERY_BROKER_URL": "filesystem://"}, "folder"),
    ("W005", {"CACHES": FILE_CACHE}, "cache"),
]


def find_mistakes(settings: LazySettings, tmp_path: Path, **changes: Any) -> list[CheckMessage]:
    for name, value in (GOOD | {"PUBLISH_DIR": tmp_path / "published"} | changes).items():
        setattr(settings, name, value)
    return [
        message
        for message in run_checks(tags=[checks.CONFIGURATION], include_deployment_checks=True)
        if str(message.id).startswith("campaigns.")
    ]


# These set DATABASES and CACHES by the settings fixture, which Django rightly warns of: nothing
# here opens a connection.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")


def test_what_a_newsroom_would_set_is_in_order(settings: LazySettings, tmp_path: Path) -> None:
    assert find_mistakes(settings, tmp_path) == []


def test_the_demo_may_use_its_own_secrets(settings: LazySettings, tmp_path: Path) -> None:
    public = {
        name: [value] if name == "STRIPE_WEBHOOK_SECRET" else value
        for name, value in settings.DEMO_SECRETS.items()
    }
    base = {"STRIPE_API_BASE": "http://127.0.0.1:4242"}
    assert find_mistakes(settings, tmp_path, **DEMO, **public, **base) == []


@pytest.mark.parametrize(
    ("check_id", "changes", "named"),
    MISTAKES,
    ids=[f"{check_id}-{', '.join(changes)}" for check_id, changes, _ in MISTAKES],
)
def test_a_mistake_is_named_and_its_mending_told(
    check_id: str,
    changes: dict[str, Any],
    named: str,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    found = find_mistakes(settings, tmp_path, **changes)
    message = found[0]
    assert message.id == f"campaigns.{check_id}"
    # The demo's key for gift codes is short as well.
    assert {also.id for also in found[1:]} <= (
        {"campaigns.E002"} if "GIFT_CODE_KEY" in changes else set()
    )
    assert named in message.msg
    assert message.hint
    assert message.is_serious() == check_id.startswith("E")


def test_no_check_is_left_out_here() -> None:
    source = Path(checks.__file__).read_text(encoding="utf-8")
    written = re.findall(r'id="campaigns\.([EW]\d{3})"', source)
    assert sorted(written) == sorted(set(written)), "an id stands for one mistake"
    assert set(written) == {check_id for check_id, _, _ in MISTAKES}


def test_the_demos_secrets_do_not_reach_what_is_told(
    settings: LazySettings, tmp_path: Path
) -> None:
    for secret in settings.DEMO_SECRETS.values():
        found = find_mistakes(settings, tmp_path, SECRET_KEY=secret, STRIPE_SECRET_KEY=secret)
        assert found
        assert all(secret not in f"{message.msg} {message.hint}" for message in found)


# Nothing starts in production on the demo's secrets: each door in a process of its own


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "migrate"],
        ["-c", "import newsroom.wsgi"],
        ["-c", "import newsroom.asgi"],
        ["-m", "celery", "-A", "newsroom", "worker", "--pool", "solo", "--without-mingle"],
        ["-m", "celery", "-A", "newsroom", "beat", "--schedule", "beat"],
    ],
    ids=lambda command: " ".join(command[:4]),
)
def test_production_does_not_start_on_the_demos_secrets(command: list[str], tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ENV_FILE": os.devnull,
        "DEMO": "false",
        "DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "campaigns.E001" in done.stderr
    assert "SECRET_KEY" in done.stderr
