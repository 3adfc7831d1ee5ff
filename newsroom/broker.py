"""A queue without a server: Celery's messages are files in a folder."""

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """kombu's file channel, on a folder that can be deleted at any time.

    This class creates the folder again, so the web server and the workers keep running. The
    jobs find the work of the deleted messages in the database.
    """

    # The type stubs of the two base classes disagree about the second argument's name.
    def _put(  # type: ignore[override]
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        """Write the message in one step, so a worker never reads an incomplete file."""
        self._create_folders()
        name = f"{round(time.monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        message = Path(self.data_folder_out) / name
        incomplete = message.with_name(f"{name}.new")
        incomplete.write_text(dumps(payload), encoding="utf-8")
        incomplete.replace(message)

    def _size(self, queue: str) -> int:
        self._create_folders()
        return int(super()._size(queue))

    def _purge(self, queue: str) -> int:
        self._create_folders()
        return int(super()._purge(queue))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        self._create_folders()
        return super()._get(queue)

    def _queue_bind(self, *args: Any) -> None:
        self._create_folders()
        super()._queue_bind(*args)

    def _create_folders(self) -> None:
        for folder in (self.data_folder_in, self.control_folder, self.processed_folder):
            Path(folder).mkdir(parents=True, exist_ok=True)


class Transport(filesystem.Transport):
    Channel = Channel
