"""Prepare a fresh checkout: create a virtual environment, install packages, compile translations.

`bin/demo`, `bin/test` and `bin/check` call `enter(...)` first. It needs only Python 3.11 with venv,
skips steps that are already done, and then restarts the program with the environment's Python under
the same process id.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NEEDED = (3, 11)
LOCALE = ROOT / "campaigns" / "locale"

# The requirements files that are satisfied once a file is installed: test.txt includes base.txt.
COVERS = {"base": ["base"], "test": ["base", "test"]}


def enter(requirements: str) -> None:
    """Prepare the environment and continue in it. Print only if there is work to do."""
    if sys.version_info < NEEDED:
        restart_with_newer_python()
    # The caller's PYTHONPATH must not replace a pinned package with another version.
    os.environ["PYTHONPATH"] = str(ROOT)
    lock = (ROOT / ".prepare.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        make_environment()
        install_packages(requirements)
        compile_translations()
    finally:
        lock.close()
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    sys.path.insert(0, str(ROOT))


def restart_with_newer_python() -> None:
    for name in ("python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    stop(
        f"Python {dotted(NEEDED)} or newer is required. "
        f"{sys.executable} is Python {dotted(sys.version_info[:2])}.",
        "On Debian 12 or Ubuntu 24.04, install it with: sudo apt install python3 python3-venv",
    )


def dotted(version: "tuple[int, ...]") -> str:
    return ".".join(str(part) for part in version)


def make_environment() -> None:
    if PYTHON.exists() and succeeds([str(PYTHON), "-m", "pip", "--version"]):
        return
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships it in a separate package
    except ImportError:
        stop(
            "Python's venv module is missing.",
            "On Debian and Ubuntu, install it with: sudo apt install python3-venv",
        )
    say("Creating a virtual environment in .venv ...")
    run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        "The virtual environment could not be created.",
    )


def install_packages(requirements: str) -> None:
    wanted = ROOT / "requirements" / f"{requirements}.txt"
    if stamp(requirements).exists() and stamp(requirements).read_text() == digest(wanted):
        return
    say(f"Installing requirements/{requirements}.txt (once, takes a minute or two) ...")
    run(
        [
            *(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement"),
            str(wanted),
        ],
        "The packages could not be installed. Check that this machine can reach the package index.",
    )
    for name in COVERS[requirements]:
        stamp(name).write_text(digest(ROOT / "requirements" / f"{name}.txt"))


def compile_translations() -> None:
    """Compile the translations that changed; the compiled files are not in the repository."""
    stale = []
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            stale.append((source, compiled))
    for source, compiled in stale:
        say(f"Compiling {source.relative_to(ROOT)} ...")
        run(
            [
                *(str(PYTHON), "-m", "babel.messages.frontend", "--quiet", "compile"),
                *("-i", str(source), "-o", str(compiled)),
            ],
            f"{source.relative_to(ROOT)} could not be compiled. Its errors are listed above.",
        )


def stamp(requirements: str) -> Path:
    return VENV / f".installed-{requirements}"


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def succeeds(command: "list[str]") -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(command: "list[str]", error: str) -> None:
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode != 0:
        stop(error)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def stop(*lines: str) -> None:
    for line in lines:
        say(line)
    sys.exit(1)
