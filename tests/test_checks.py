"""The system checks: which mistake triggers each id, and that each says how to fix it."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.conf import LazySettings
from django.core.checks import CheckMessage, run_checks

from campaigns import checks
from campaigns.apps import CONFIGURATION
from campaigns.banners import PLACEMENTS
from campaigns.banners import checks as banner_checks
from campaigns.banners.placements import DefaultText
from campaigns.models import Phase
from campaigns.progress import GOAL_KINDS, STATES, UnknownGoalKind, find_goal_kind

ROOT = Path(__file__).resolve().parents[1]
SECRET = "made-up-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz"
SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "campaigns"}}

# The settings of a real newsroom: every check passes.
GOOD: dict[str, Any] = {
    "DEMO": False,
    "DEBUG": False,
    "REHEARSAL": False,
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
    "HEALTH_TOKEN": "",
    "NEWSPAPER_URL": "https://www.example.org/",
    "TERMS_URL": "",
    "PRIVACY_URL": "",
    "WITHDRAWAL_URL": "",
    "STRIPE_CALLS_PER_SECOND": 80,
    "DATABASES": POSTGRES,
    "ACCESS_RETURN_URLS": ["https://www.example.org/"],
}

LOCAL = {"SITE_URL": "http://127.0.0.1:8000", "ALLOWED_HOSTS": ["127.0.0.1"]}
DEMO = LOCAL | {"DEMO": True}

# (id, the changed settings, a part of the message)
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
    ("E003", {"STRIPE_SECRET_KEY": ""}, "not one of Stripe's secret keys"),
    ("E004", DEMO, "live key"),
    ("E005", {"STRIPE_WEBHOOK_SECRET": []}, "not set"),
    ("E006", {"STRIPE_WEBHOOK_SECRET": ["sk_live_0123456789"]}, "not a webhook secret"),
    ("E007", {"STRIPE_API_BASE": "http://127.0.0.1:4242"}, "STRIPE_API_BASE"),
    (
        "E008",
        DEMO | {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": "http://sandbox.example"},
        "secret key",
    ),
    ("E009", {"SITE_URL": "members.example.org"}, "members.example.org"),
    ("E010", {"SITE_URL": "https://members.example.org/"}, "more than the host"),
    ("E011", {"SITE_URL": "http://members.example.org"}, "https"),
    ("E012", {"ALLOWED_HOSTS": ["example.org"]}, "ALLOWED_HOSTS"),
    ("E013", {"DEMO": True, "STRIPE_SECRET_KEY": "sk_test_1"}, "DEMO"),
    ("E014", {"CELERY_BROKER_URL": "sqs://"}, "sqs"),
    ("E014", {"CELERY_BROKER_URL": ""}, "nothing"),
    ("E015", {"PUBLISH_DIR": "/proc/1/published"}, "/proc/1/published"),
    ("E041", {"PUBLISH_STORAGE": "no.such.Storage"}, "PUBLISH_STORAGE"),
    (
        "E041",
        {
            "PUBLISH_STORAGE": "django.core.files.storage.InMemoryStorage",
            "PUBLISH_STORAGE_OPTIONS": {"bucket": "banners"},
        },
        "bucket",
    ),
    ("W043", {"NEWSROOM_NAME": "The \U00013000 Post"}, "\U00013000"),
    ("E044", {"NEWSROOM_LOGO": "/nowhere/logo.svg"}, "/nowhere/logo.svg"),
    ("E016", {"DEFAULT_FROM_EMAIL": "The Post <members@example.org>"}, "DEFAULT_FROM_EMAIL"),
    ("E030", {"NEWSPAPER_URL": "www.example.org"}, "another site"),
    ("E036", {"TERMS_URL": "www.example.org/terms"}, "TERMS_URL is not a web address"),
    ("E030", {"NEWSPAPER_URL": "https://members.example.org/"}, "another site"),
    ("E002", {"HEALTH_TOKEN": "x" * 31}, "HEALTH_TOKEN"),
    ("E054", {"ACCESS_RETURN_URLS": ["http://www.example.org/"]}, "not the https address"),
    ("E054", {"ACCESS_RETURN_URLS": ["www.example.org"]}, "not the https address"),
    ("W001", {"STRIPE_SECRET_KEY": "sk_test_0123456789"}, "no real payments"),
    (
        "W002",
        {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"},
        "printed, not sent",
    ),
    ("W003", {"DATABASES": SQLITE}, "SQLite"),
    ("W004", {"CELERY_BROKER_URL": "filesystem://"}, "folder"),
]


INLINE_TEXTS = PLACEMENTS["inline"].texts


def without(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: entry for name, entry in table.items() if name != key}


def find_mistakes(settings: LazySettings, tmp_path: Path, **changes: Any) -> list[CheckMessage]:
    for name, value in (GOOD | {"PUBLISH_DIR": tmp_path / "published"} | changes).items():
        setattr(settings, name, value)
    return [
        message
        for message in run_checks(tags=[CONFIGURATION], include_deployment_checks=True)
        if str(message.id).startswith("campaigns.")
    ]


# Django warns because these tests change DATABASES. No test here opens a connection.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")


def test_the_settings_of_a_newsroom_pass(settings: LazySettings, tmp_path: Path) -> None:
    assert find_mistakes(settings, tmp_path) == []


def test_the_demo_may_use_its_own_secrets(settings: LazySettings, tmp_path: Path) -> None:
    public = {
        name: [value] if name == "STRIPE_WEBHOOK_SECRET" else value
        for name, value in settings.DEMO_SECRETS.items()
    }
    base = {"STRIPE_API_BASE": "http://127.0.0.1:4242"}
    assert find_mistakes(settings, tmp_path, **DEMO, **public, **base) == []


def test_a_rehearsal_may_use_the_sandbox(settings: LazySettings, tmp_path: Path) -> None:
    sandbox = {"STRIPE_API_BASE": "http://127.0.0.1:4242", "STRIPE_SECRET_KEY": "sk_test_0123"}
    assert find_mistakes(settings, tmp_path, REHEARSAL=True, **sandbox) == []


@pytest.mark.parametrize(
    ("check_id", "changes", "named"),
    MISTAKES,
    ids=[f"{check_id}-{', '.join(changes)}" for check_id, changes, _ in MISTAKES],
)
def test_each_mistake_is_named_with_a_way_to_fix_it(
    check_id: str,
    changes: dict[str, Any],
    named: str,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    found = find_mistakes(settings, tmp_path, **changes)
    message = found[0]
    assert message.id == f"campaigns.{check_id}"
    # The demo's key for gift codes is also too short.
    assert {other.id for other in found[1:]} <= (
        {"campaigns.E002"} if "GIFT_CODE_KEY" in changes else set()
    )
    assert named in message.msg
    assert message.hint
    assert message.is_serious() == check_id.startswith("E")


def test_every_check_is_tested_here() -> None:
    modules = (checks, banner_checks)
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    ids = re.findall(r'"campaigns\.([EW]\d{3})"', source)
    assert sorted(ids) == sorted(set(ids)), "each mistake has an id of its own"
    # tests/health/test_setup.py tests W053, which is about parts, not about settings.
    assert set(ids) == {check_id for check_id, _, _ in MISTAKES} | {"E022", "W053"}


# Tables of goal kinds, states and placements


class Gap(NamedTuple):
    missing: str
    table: dict[str, Any]
    key: str
    changes: dict[str, Any] | None  # None removes the whole entry
    named: str


TABLE_GAPS = [
    Gap("goal kind", GOAL_KINDS, "gifts", None, "The goal kind “gifts” has no entry"),
    Gap(
        "count function",
        GOAL_KINDS,
        "money",
        {"count": None},
        "“money” has no function that counts",
    ),
    Gap(
        "count pattern",
        GOAL_KINDS,
        "gifts",
        {"get_count_pattern": None},
        "“gifts” has no count pattern",
    ),
    Gap(
        "count in the pattern",
        GOAL_KINDS,
        "gifts",
        {"get_count_pattern": lambda target: "{counted} gifts"},
        "no count pattern with {counted} and {target}",
    ),
    Gap("payments", GOAL_KINDS, "gifts", {"roles": ()}, "names no payments"),
    Gap("state", STATES, "reached", None, "The state “reached” has no entry"),
    Gap(
        "state's phase",
        STATES,
        "ended",
        {"phase": Phase.BEFORE},
        "0 states match the phase “ended” with the stage “OPEN”",
    ),
    Gap(
        "state of a stage",
        STATES,
        "nearly",
        {"stages": frozenset()},
        "0 states match the phase “running” with the stage “NEARLY”",
    ),
    Gap(
        "state to fall back to",
        STATES,
        "nearly",
        {"falls_back_to": "soon"},
        "“nearly” falls back to “soon”, which doesn’t exist",
    ),
    Gap("button", PLACEMENTS, "corner", {"join_label": ""}, "“corner” has no words for a button"),
    Gap("placement", PLACEMENTS, "end", None, "The placement “end” has no entry"),
    Gap("template", PLACEMENTS, "top", {"template": "none.html"}, "“top” has no usable template"),
    Gap(
        "texts of a kind",
        PLACEMENTS,
        "top",
        {"texts": without(PLACEMENTS["top"].texts, "money")},
        "“top” has no default text for the goal kind “money” in the state “ended”",
    ),
    Gap(
        "text of a state",
        PLACEMENTS,
        "inline",
        {"texts": {kind: without(texts, "reached") for kind, texts in INLINE_TEXTS.items()}},
        "“inline” has no default text for the goal kind “new_members” in the state “reached”",
    ),
    Gap(
        "words of a text",
        PLACEMENTS,
        "inline",
        {"texts": dict.fromkeys(INLINE_TEXTS, dict.fromkeys(STATES, DefaultText("", "")))},
        "“inline” has no default text for the goal kind “gifts” in the state “before”",
    ),
]


@pytest.mark.parametrize("gap", TABLE_GAPS, ids=[gap.missing for gap in TABLE_GAPS])
def test_a_missing_part_of_a_table_is_an_error(
    gap: Gap, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if gap.changes is None:
        monkeypatch.delitem(gap.table, gap.key)
    else:
        monkeypatch.setitem(gap.table, gap.key, replace(gap.table[gap.key], **gap.changes))
    found = find_mistakes(settings, tmp_path)
    assert {message.id for message in found} == {"campaigns.E022"}
    assert any(gap.named in message.msg for message in found)
    assert all(message.hint and message.is_serious() for message in found)


def test_an_unknown_goal_kind_raises() -> None:
    with pytest.raises(UnknownGoalKind, match="There is no goal kind “books”"):
        find_goal_kind("books")


def test_no_message_contains_one_of_the_demos_secrets(
    settings: LazySettings, tmp_path: Path
) -> None:
    for secret in settings.DEMO_SECRETS.values():
        found = find_mistakes(settings, tmp_path, SECRET_KEY=secret, STRIPE_SECRET_KEY=secret)
        assert found
        assert all(secret not in f"{message.msg} {message.hint}" for message in found)


# Production does not start with the demo's secrets: each entry point runs in its own process


CELERY = ["-m", "celery", "-A", "newsroom"]


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        pytest.param(["manage.py", "migrate"], marks=pytest.mark.thorough),
        ["-c", "import newsroom.wsgi"],
        pytest.param(["-c", "import newsroom.asgi"], marks=pytest.mark.thorough),
        pytest.param(
            [*CELERY, "worker", "--pool", "solo", "--without-mingle"], marks=pytest.mark.thorough
        ),
        pytest.param([*CELERY, "beat", "--schedule", "beat"], marks=pytest.mark.thorough),
    ],
    ids=lambda command: " ".join(command[:4]),
)
def test_production_does_not_start_with_the_demos_secrets(
    command: list[str], tmp_path: Path
) -> None:
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
