"""Checks of the settings for published files; campaigns/checks.py registers them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import storages

from campaigns import fonts
from campaigns.models.drawings import read_logo

FOLDER_STORAGE = "campaigns.banners.storage.FolderStorage"


def check_files(**_: Any) -> list[CheckMessage]:
    """Check that banners can be published: they are files."""
    is_folder = settings.PUBLISH_STORAGE == FOLDER_STORAGE
    return list(_check_folder() if is_folder else _check_storage())


def check_fonts(**_: Any) -> list[CheckMessage]:
    """Check that the newspaper's name can be drawn in pictures, gift cards and receipts."""
    missing = fonts.list_missing(settings.NEWSROOM_NAME)
    if not missing:
        return []
    return [
        Warning(
            f"NEWSROOM_NAME contains characters that no font here can draw: {missing}",
            hint="Install a font for them and set FONT_DIR to its folder. Until then, pictures, "
            "gift cards and receipts leave them out.",
            id="campaigns.W043",
        )
    ]


def check_logo(**_: Any) -> list[CheckMessage]:
    """Check that the newspaper's logo can be shown."""
    try:
        read_logo()
    except (OSError, ValueError) as error:
        return [
            Error(
                f"NEWSROOM_LOGO can't be shown: {error}",
                hint="Set NEWSROOM_LOGO to the path of a readable SVG file that has only shapes.",
                id="campaigns.E044",
            )
        ]
    return []


def _check_folder() -> Iterator[CheckMessage]:
    folder = Path(settings.PUBLISH_DIR)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        yield Error(
            f"PUBLISH_DIR is not writable: {settings.PUBLISH_DIR}.",
            hint=f"Give the user that runs this application write access to {folder}.",
            id="campaigns.E015",
        )


def _check_storage() -> Iterator[CheckMessage]:
    try:
        storages.create_storage(
            {
                "BACKEND": settings.PUBLISH_STORAGE,
                "OPTIONS": settings.PUBLISH_STORAGE_OPTIONS,
            }
        )
    except Exception as error:  # a wrong name, a missing package or a wrong option
        yield Error(
            f"PUBLISH_STORAGE can't be used: {error}",
            hint="Install its package, and correct PUBLISH_STORAGE and PUBLISH_STORAGE_OPTIONS. Or "
            "unset both to publish into PUBLISH_DIR.",
            id="campaigns.E041",
        )
