"""What a process loads: large parts of the project only where they are needed.

`campaign_report --rows` took 137 MB, of which less than 10 were for the rows. The rest was loaded
with every command: the admin, and libraries that set pages, draw codes and forecast.
"""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from django.contrib import admin
from django.core.checks.registry import registry
from django.utils.module_loading import import_string

from campaigns.apps import run_check

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
# With the megabytes of each, of what it imports as well.
LARGE = {"campaigns.admin": 30, "campaigns.checks": 14, "numpy": 13, "typst": 7, "segno": 2}
START = """
import sys
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(["manage.py", *sys.argv[1:]])
except Exception as error:
    print(type(error).__name__)
print(*sys.modules)
"""
CHECK_ADMIN = """
import django
django.setup()
from django.contrib import admin
from django.core.checks import run_checks
print(len(admin.site._registry))
print(*(error.id for error in run_checks(tags=["admin"])))
print(len(admin.site._registry))
for pages in admin.site._registry.values():
    if type(pages).__name__ == "GiftAdmin":
        type(pages).list_display = ["nothing"]
print(*(error.id for error in run_checks(tags=["admin"])))
"""


def run_python(source: str, *arguments: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "DEMO": "true",
            "DJANGO_SETTINGS_MODULE": "newsroom.settings",
            "ENV_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_rows_are_written_by_a_process_without_large_parts(tmp_path: Path) -> None:
    """The database is empty, so the command gets as far as its first query."""
    arguments = ("campaign_report", "birthday", "--rows", "payments", "--format", "xlsx")
    error, modules = run_python(START, *arguments, folder=tmp_path)
    assert error == "OperationalError"
    assert "campaigns.reports.rows" in modules.split()
    assert set(LARGE) & set(modules.split()) == set()


@pytest.mark.thorough
def test_checks_load_large_parts(tmp_path: Path) -> None:
    """The names above are right: a command with checks loads those that its checks need."""
    *_, modules = run_python(START, "check", folder=tmp_path)
    assert set(LARGE) - set(modules.split()) == {"numpy"}


def test_checks_look_at_the_whole_admin(tmp_path: Path) -> None:
    admin.autodiscover()
    before, faults, after, found = run_python(CHECK_ADMIN, folder=tmp_path)
    assert (before, faults) == ("0", "")
    assert after == str(len(admin.site._registry))
    assert found == "admin.E108"


def test_the_names_of_checks_exist() -> None:
    names = [
        check.args[0]
        for check in registry.get_checks(include_deployment_checks=True)
        if isinstance(check, partial) and check.func is run_check
    ]
    assert len(names) == 8
    assert all(callable(import_string(name)) for name in names)
