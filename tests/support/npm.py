"""Packages from npm for tests, installed once and kept between runs."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "campaign-tests"
_OPTIONS = ("--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--silent")
_DONE = "installed"


def make_folder(name: str) -> Path:
    """Return the folder for a package. Skip the test where Node or npm is missing."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not installed")
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Let one test at a time install into the folder: tests run in several processes."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_installed(folder: Path) -> bool:
    """Return whether `install_packages` has ended there: a part of them may be there without it."""
    return (folder / _DONE).exists()


def install_packages(*packages: str, folder: Path, options: tuple[str, ...] = ()) -> None:
    """Install packages into `folder` once, or without names those of its package.json."""
    with lock_folder(folder):
        if is_installed(folder):
            return
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        run("npm", "install", *_OPTIONS, *options, *packages, folder=folder)
        (folder / _DONE).touch()


def run(*command: str, folder: Path) -> None:
    """Run a command. Skip the test if it fails, because the registry can't be reached."""
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-200:]}")
