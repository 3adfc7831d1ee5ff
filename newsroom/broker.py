"""The embedded queue: Celery's messages as files in a folder."""

from pathlib import Path
from typing import Any

from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """kombu's, on a folder that may be deleted at any time.

    What was in it is found again by the sweep; here it is only made anew, so that neither the
    web server nor a running worker stumbles.
    """

    # The stubs of its two ancestors name the second argument differently.
    def _put(  # type: ignore[override]
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        self._make_folders()
        super()._put(queue, payload, **kwargs)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        self._make_folders()
        return super()._get(queue)

    def _queue_bind(self, *args: Any) -> None:
        self._make_folders()
        super()._queue_bind(*args)

    def _make_folders(self) -> None:
        for folder in (self.data_folder_in, self.control_folder, self.processed_folder):
            Path(folder).mkdir(parents=True, exist_ok=True)


class Transport(filesystem.Transport):
    Channel = Channel
