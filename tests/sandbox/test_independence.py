"""The sandbox runs without the application: no Celery, no project settings, no Stripe library."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = (
    "campaigns",
    "celery",
    "kombu",
    "newsroom.celery",
    "newsroom.demo",
    "newsroom.settings",
    "stripe",
)
REPORT = "\nimport sys\nprint(*sys.modules, sep='\\n')"
SET_UP = "import django\ndjango.setup()\n"


def list_loaded_modules(statements: str) -> set[str]:
    """Run the statements in a new process and return the forbidden modules that it loaded."""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "newsroom.sandbox.settings",
        "ENV_FILE": os.devnull,
    }
    done = subprocess.run(
        [sys.executable, "-c", statements + REPORT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split()) & set(FORBIDDEN)


@pytest.mark.parametrize(
    "statements",
    [
        "import newsroom.sandbox",
        "import newsroom.sandbox.__main__",
        "import newsroom.sandbox.control, newsroom.sandbox.process",
        SET_UP + "import newsroom.sandbox.runtime, newsroom.sandbox.urls",
    ],
    ids=["package", "command", "client", "server"],
)
def test_the_sandbox_loads_nothing_of_the_application(statements: str) -> None:
    assert list_loaded_modules(statements) == set()


def test_the_check_notices_celery() -> None:
    assert list_loaded_modules("import newsroom.celery") >= {"celery", "newsroom.celery"}
