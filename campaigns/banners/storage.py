"""The folder of published files, as a Django storage."""

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

LOCK_SECONDS = 10.0


@cache
def _find_absolute(folder: Path) -> str:
    return str(Path(folder).absolute())


class FolderStorage(FileSystemStorage):
    """Stores files in PUBLISH_DIR. A file is replaced as a whole or not at all."""

    @property
    def location(self) -> str:
        return _find_absolute(settings.PUBLISH_DIR)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the same name, because a new file replaces the old one."""
        return name

    def _save(self, name: str, content: "File[Any]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.read())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
        return name

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Let only one process at a time write in the folder. Raises TimeoutError."""
        folder = Path(self.location)
        folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + LOCK_SECONDS
        with (folder / ".lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TimeoutError("another process is writing the files") from None
                    time.sleep(0.02)
            yield
