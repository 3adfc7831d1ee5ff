"""Management commands, run as staff run them."""

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command


def run_command(*arguments: Any, stderr: io.StringIO | None = None, **options: Any) -> str:
    """Run a command and return what it printed."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=stderr or io.StringIO(), **options)
    return out.getvalue()


def write_file(folder: Path, text: str | bytes) -> Path:
    """Write a file of members for import_members."""
    path = folder / "members.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def import_file(folder: Path, text: str | bytes, **options: Any) -> str:
    """Import a file of members and return the last line that was printed, its outcome."""
    printed = run_command("import_members", write_file(folder, text), **options)
    return printed.splitlines(keepends=True)[-1]
