"""Variables that can't be read: the error names the variable and how to fix it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from newsroom.environment import Environment

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
env = Environment()
NAME = "TRIED_SETTING"
READERS: dict[str, Callable[[], Any]] = {
    "url": lambda: env.url(NAME, default="http://127.0.0.1", example="https://members.example.org"),
    "optional url": lambda: env.url(NAME, default="", example="http://127.0.0.1:4242"),
    "folder": lambda: env.folder(NAME, default=Path("/data")),
    "integer": lambda: env.integer(NAME, default=14, most=365),
    "integers": lambda: env.integers(NAME, default=[30, 7], least=1, most=300),
    "urls": lambda: env.urls(NAME, default=["https://a.example"], example="https://b.example"),
    "flag": lambda: env.flag(NAME, default=True),
    "pairs": lambda: env.pairs(NAME, default={"a": "b"}),
    "choice": lambda: env.choice(NAME, ("INFO", "ERROR"), default="INFO"),
    "languages": lambda: env.languages(NAME, default=["en"]),
    "header": lambda: env.header(NAME, default=""),
    "networks": lambda: env.networks(NAME, default=["10.0.0.0/8"]),
    "time zone": lambda: env.time_zone(NAME, default="UTC"),
    "database": lambda: env.database(NAME, default="sqlite:////data/db.sqlite3"),
    "proxies": lambda: env.proxies(NAME, default=1),
    "mail_server": lambda: env.mail_server(NAME, default="consolemail://"),
}
WRONG = [
    ("url", "", "https://members.example.org"),
    ("url", "http://[::1", "https://members.example.org"),
    ("url", "redis://:password@host:port/0", "https://members.example.org"),
    ("optional url", "http://[::1", "http://127.0.0.1:4242"),
    ("folder", "", "Write the path of a folder"),
    ("folder", "  ", "Write the path of a folder"),
    ("integer", "soon", "Write a whole number"),
    ("integer", "", "Write a whole number"),
    ("integer", "1.5", "Write a whole number"),
    ("integer", "-1", "Write a whole number from 0 to 365"),
    ("integer", "366", "Write a whole number from 0 to 365"),
    ("integers", "30,soon", "Write whole numbers from 1 to 300, separated by commas"),
    ("integers", "0", "Write whole numbers from 1 to 300, separated by commas"),
    ("integers", "30,301", "Write whole numbers from 1 to 300, separated by commas"),
    ("urls", "https://[::1", "Write whole addresses, separated by commas, for example https://b."),
    ("urls", "https://a.example,www.b.example", "Write whole addresses"),
    ("flag", "maybe", "Write true or false"),
    ("pairs", "password", "Write name=value pairs"),
    ("choice", "loud", "Write one of INFO, ERROR"),
    ("header", "CF IPCountry", "Write the name of a header"),
    ("networks", "chat.example.org", "Write ranges of addresses, for example 10.1.0.0/16"),
    ("networks", "10.1.2.3/16", "Write ranges of addresses, for example 10.1.0.0/16"),
    ("time zone", "", "Write a time zone's name"),
    ("time zone", "Kyiv", "Write a time zone's name"),
    ("time zone", "../etc/passwd", "Write a time zone's name"),
    ("database", "", "postgres://user:password@host:5432/name"),
    ("database", "password", "postgres://user:password@host:5432/name"),
    ("database", "mysql://ada:password@db/campaigns", "postgres://user:password@host:5432/name"),
    ("database", "postgres://ada:password@db:port/x", "postgres://user:password@host:5432/name"),
    ("proxies", "some", "Write the number of proxies"),
    ("proxies", "-1", "Write the number of proxies"),
    ("mail_server", "", "smtp+tls://user:password@host:587"),
    ("mail_server", "filemail:///var/mails", "smtp+tls://user:password@host:587"),
    ("mail_server", "memorymail://", "smtp+tls://user:password@host:587"),
    ("mail_server", "dummymail://", "smtp+tls://user:password@host:587"),
    ("mail_server", "smtps+tls://ada:password@host", "smtp+tls://user:password@host:587"),
    ("mail_server", "smtp://ada:password@host:port", "smtp+tls://user:password@host:587"),
    ("languages", "en,klingon", "Django doesn’t know 'klingon'"),
    ("languages", "", "Write codes of languages, for example en,de,pt-br"),
]
RIGHT = [
    ("url", "https://members.example.org:8443", "https://members.example.org:8443"),
    ("optional url", "", ""),
    ("folder", "/srv/published", Path("/srv/published")),
    ("integer", "0", 0),
    ("integer", "365", 365),
    ("integers", "30, 7", [30, 7]),
    ("integers", "", []),
    (
        "urls",
        "https://a.example/,http://127.0.0.1:8000",
        ["https://a.example/", "http://127.0.0.1:8000"],
    ),
    ("urls", "", []),
    ("flag", "true", True),
    ("flag", "ON", True),
    ("flag", "False", False),
    ("flag", "0", False),
    ("flag", "", False),
    ("pairs", "TOKEN=x,SECRET=a:b", {"TOKEN": "x", "SECRET": "a:b"}),
    ("pairs", "", {}),
    ("choice", "error", "ERROR"),
    ("networks", "10.1.0.0/16, fd00::/8", ["10.1.0.0/16", "fd00::/8"]),
    ("networks", "", []),
    ("time zone", "Europe/Kyiv", "Europe/Kyiv"),
    (
        "languages",
        "uk, PT-BR,uk,ar",
        [("uk", "Ukrainian"), ("pt-br", "Brazilian Portuguese"), ("ar", "Arabic")],
    ),
]


@pytest.mark.parametrize(("reader", "value", "cure"), WRONG)
def test_a_wrong_value_names_the_variable_and_how_to_fix_it(
    reader: str, value: str, cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    default = READERS[reader]()
    monkeypatch.setenv(NAME, value)
    env.problems.clear()
    assert READERS[reader]() == default
    assert os.environ[NAME] == value
    (message,) = env.problems
    assert message.startswith(NAME)
    assert cure in message
    assert "password" not in message.replace("user:password@", "")


@pytest.mark.parametrize(("reader", "value", "expected"), RIGHT)
def test_a_right_value_is_read(
    reader: str, value: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, value)
    assert READERS[reader]() == expected


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_variable_has_its_default(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert bool(READERS[reader]()) is (reader not in {"optional url", "header"})


@pytest.mark.parametrize(
    ("value", "engine"),
    [
        ("postgres://ada:secret@127.0.0.1:5432/campaigns", "django.db.backends.postgresql"),
        ("postgresql:///campaigns?host=/run/postgresql", "django.db.backends.postgresql"),
        ("sqlite://:memory:", "django.db.backends.sqlite3"),
    ],
)
def test_postgres_and_sqlite_are_accepted(
    value: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, value)
    assert env.database(NAME, default="")["ENGINE"] == engine


def test_the_environment_has_precedence_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, "14")
    monkeypatch.setenv("OTHER_SETTING", "")
    monkeypatch.delenv("OTHER_SETTING")
    (tmp_path / ".env").write_text(f"{NAME}=30\nOTHER_SETTING=7\n")
    env.read_file(tmp_path / ".env")
    assert os.environ[NAME] == "14"
    assert env.integer("OTHER_SETTING", default=1) == 7


@pytest.mark.parametrize(
    ("name", "problem"),
    [("none", "No such file"), ("folder", "Is a directory"), ("binary", "can't decode")],
)
def test_a_file_that_cannot_be_read_is_not_passed_over(
    name: str, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ImproperlyConfigured, match=rf"ENV_FILE.*{name}.*{problem}"):
        env.read_file(tmp_path / name)


WRONG_SETTINGS = {"DEMO": "true", "GRACE_DAYS": "abc", "EMAIL_URL": "nonsense"}


@pytest.mark.parametrize(
    ("command", "first_line"),
    [
        (["manage.py", "check"], "SystemCheckError: System check identified some issues:"),
        (["manage.py", "migrate"], "Fix these settings and start again."),
        (["-c", "import newsroom.wsgi"], "Fix these settings and start again."),
        (["-m", "celery", "-A", "newsroom", "beat"], "Fix these settings and start again."),
    ],
    ids=["check", "migrate", "web", "celery"],
)
def test_all_wrong_settings_are_listed_at_once_without_a_traceback(
    command: list[str], first_line: str
) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "newsroom.settings", **WRONG_SETTINGS},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == first_line
    assert "GRACE_DAYS is 'abc'. Write a whole number" in done.stderr
    assert "EMAIL_URL is not valid. Write it like smtp+tls://" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_copied_example_lists_every_secret_to_fill_in(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": str(ROOT / ".env.example"),
            "DATA_DIR": str(tmp_path),
            "PUBLISH_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for name in ("SECRET_KEY", "GIFT_CODE_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
        assert f"{name} is not set" in done.stderr
    assert "Traceback" not in done.stderr
