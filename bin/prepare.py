"""Gets this checkout ready to run: a virtual environment, its packages, the translations.

`bin/demo`, `bin/test` and `bin/check` call `enter(...)` first. It needs nothing but Python 3.11
with venv, does only what is not done yet, and goes on in the environment's own Python under the
same process id.
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

# A requirements file and those whose pins it repeats: installing it satisfies them all.
COVERS = {"base": ["base"], "test": ["base", "test"]}


def enter(requirements: str) -> None:
    """Make the environment ready and continue in it; prints only when there is work to do."""
    if sys.version_info < NEEDED:
        restart_with_newer_python()
    # A module found by the caller's PYTHONPATH must not stand in for a pinned one.
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
        f"This needs Python {dotted(NEEDED)} or newer; "
        f"{sys.executable} is {dotted(sys.version_info[:2])}.",
        "On Debian 12 or Ubuntu 24.04: sudo apt install python3 python3-venv",
    )


def dotted(version: "tuple[int, ...]") -> str:
    return ".".join(str(part) for part in version)


def make_environment() -> None:
    if PYTHON.exists() and succeeds([str(PYTHON), "-m", "pip", "--version"]):
        return
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships it in a package of its own
    except ImportError:
        stop(
            "This Python has no venv, which keeps the project's packages apart from the system's.",
            "On Debian and Ubuntu: sudo apt install python3-venv",
        )
    say("Making an environment in .venv ...")
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], "The environment was not made.")


def install_packages(requirements: str) -> None:
    wanted = ROOT / "requirements" / f"{requirements}.txt"
    if stamp(requirements).exists() and stamp(requirements).read_text() == digest(wanted):
        return
    say(f"Installing the packages of requirements/{requirements}.txt (once, a minute or two) ...")
    run(
        [
            *(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement"),
            str(wanted),
        ],
        "The packages were not installed. Is there a way to the package index from here?",
    )
    for name in COVERS[requirements]:
        stamp(name).write_text(digest(ROOT / "requirements" / f"{name}.txt"))


def compile_translations() -> None:
    """Compile what changed since the last time; the compiled files are not in the repository."""
    stale = []
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            stale.append((source, compiled))
    for source, compiled in stale:
        say(f"Compiling the translation {source.relative_to(ROOT)} ...")
        run(
            [
                *(str(PYTHON), "-m", "babel.messages.frontend", "--quiet", "compile"),
                *("-i", str(source), "-o", str(compiled)),
            ],
            "The translation was not compiled.",
        )


def stamp(requirements: str) -> Path:
    return VENV / f".installed-{requirements}"


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def succeeds(command: "list[str]") -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(command: "list[str]", complaint: str) -> None:
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode != 0:
        stop(complaint)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def stop(*lines: str) -> None:
    for line in lines:
        say(line)
    sys.exit(1)
