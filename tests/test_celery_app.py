"""Every process of the project sends its tasks through the project's own Celery app."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
BROKER_URL = "redis://127.0.0.1:1/5"
# Web servers send tasks from threads that did not load the app.
REPORT = """
import threading
from campaigns import tasks
def report():
    app = tasks.TASKS['events'].app
    print(app.main, app.conf.broker_url)
report()
thread = threading.Thread(target=report)
thread.start()
thread.join()
"""


def run_python(*arguments: str, settings_module: str = "newsroom.settings") -> list[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "CELERY_BROKER_URL": BROKER_URL,
            "DEMO": "true",
            "DJANGO_SETTINGS_MODULE": settings_module,
            "ENV_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "import newsroom.wsgi" + REPORT],
        *(
            pytest.param(arguments, marks=pytest.mark.thorough)
            for arguments in (
                ["-c", "import newsroom.asgi" + REPORT],
                ["manage.py", "shell", "--no-imports", "-c", REPORT],
                ["-c", "import django\ndjango.setup()" + REPORT],
            )
        ),
    ],
    ids=["wsgi", "asgi", "command", "script"],
)
def test_tasks_go_to_the_projects_broker(arguments: list[str]) -> None:
    assert run_python(*arguments) == [f"newsroom {BROKER_URL}"] * 2


def test_tests_use_the_projects_app() -> None:
    statements = "import django\ndjango.setup()" + REPORT
    reports = run_python("-c", statements, settings_module="tests.settings")
    assert reports == [f"newsroom {BROKER_URL}"] * 2


def test_the_celery_command_finds_the_projects_app() -> None:
    """`celery -A newsroom` looks for a module of this name in the package."""
    statements = "from celery.app.utils import find_app\nprint(find_app('newsroom').main)"
    assert run_python("-c", statements) == ["newsroom"]
