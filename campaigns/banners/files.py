"""Published files: their names, and how they are written, deleted and read.

Files are in the storage `published`: the folder PUBLISH_DIR, or another storage that
PUBLISH_STORAGE names. Reading needs no database and never raises.
"""

import gzip
import hashlib
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePath
from typing import Any, TypeVar

import brotli
import structlog
from django.conf import settings
from django.conf.global_settings import LANGUAGES
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from campaigns.banners.placements import EMBEDDED
from campaigns.banners.storage import FolderStorage

log = structlog.get_logger(__name__)

ALIAS = "published"
PAGE, PICTURE, NUMBER = "index.html", "picture.png", "progress.json"
COMPONENT = "banner.js"  # of all campaigns
SIGN_UP_COMPONENT = "newsletter.js"
SCRIPTS = {COMPONENT, SIGN_UP_COMPONENT}
# Newsletter sign-ups: the block inside the article, and the card at its end.
SIGN_UPS = ("signup", "signupcard")
FRAME = "-frame.html"
WALL = f"wall/{PAGE}"
NEWSLETTER = "newsletter"
OEMBED = "oembed.json"
# Of each language, besides banners.
FILES = (PAGE, WALL, PICTURE, f"{NEWSLETTER}.png", f"{NEWSLETTER}.svg", OEMBED)
# The same in all languages.
ICON, LOOK = "icon", "look.css"
SHARED_FILES = (NUMBER, f"{ICON}.svg", f"{ICON}.png", LOOK)
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
# Files in another storage than a folder are read again after this many seconds.
CHECK_SECONDS = 5.0
MOST_FILES = 2000  # in memory
_Version = tuple[int, ...]
_Entry = TypeVar("_Entry")


class StorageRefused(Exception):
    """The storage can't hold published files; the message says what to change."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file in memory: its content by content coding ("", "gzip", "br"), and its digest.

    `answers` are the HTTP answers made from it so far.
    """

    name: str
    content_type: str
    bodies: Mapping[str, bytes]
    digest: str
    answers: dict[Hashable, Any] = field(default_factory=dict, compare=False)


def name_banner(placement: str, *, with_number: bool = True, for_member: bool = False) -> str:
    if for_member:
        return f"{placement}-member.html"
    return f"{placement}.html" if with_number else f"{placement}-without-number.html"


def name_forms(placement: str) -> list[str]:
    """Return the names of a banner's forms, in the order of `BannerForms`."""
    return [
        name_banner(placement),
        name_banner(placement, with_number=False),
        name_banner(placement, for_member=True),
        f"{placement}.json",
        f"{placement}{FRAME}",
    ]


@cache
def list_names() -> dict[str, str]:
    """Return the content type of each file of a campaign, by its name in the campaign's folder."""
    banners = [name for placement in EMBEDDED for name in name_forms(placement)]
    banners += [f"{each}{ending}" for each in SIGN_UPS for ending in (".html", FRAME)]
    names = [f"{code}/{name}" for code, _ in settings.LANGUAGES for name in (*banners, *FILES)]
    return {name: CONTENT_TYPES[os.path.splitext(name)[1]] for name in (*names, *SHARED_FILES)}


def compress(name: str, content: bytes) -> dict[str, bytes]:
    """Return the content by content coding. Pictures are compressed already."""
    if name.endswith(".png"):
        return {"": content}
    return {
        "": content,
        "gzip": gzip.compress(content, 6, mtime=0),
        "br": brotli.compress(content, quality=5),
    }


def is_folder() -> bool:
    """Return whether published files are in the folder PUBLISH_DIR, not in another storage."""
    return isinstance(storages[ALIAS], FolderStorage)


# Writing


def write_files(slug: str, files: Mapping[str, bytes], *, confirm: Callable[[], None]) -> None:
    """Write files of a campaign, each with compressed copies for web servers.

    `confirm` raises an error if a newer publisher has taken over. In a folder it is called once,
    under a lock that newer publishers wait for, so an older file never replaces a newer one. In
    other storages it is called before each file. Raises OSError, StorageRefused or any error of
    the storage.
    """
    storage = storages[ALIAS]
    with _write_alone(storage) as is_alone:
        if is_alone:
            confirm()
        for name, content in files.items():
            if not is_alone:
                confirm()
            if not _is_written(storage, f"{slug}/{name}", content):
                _write(storage, f"{slug}/{name}", content)


def retire_languages(slug: str) -> None:
    """Empty the banners of languages that LANGUAGES no longer lists, and delete their pages.

    Articles may still include the banners: an empty file harms none, and an old number would. Only
    a folder can be searched for them cheaply.
    """
    storage = storages[ALIAS]
    if not isinstance(storage, FolderStorage) or not storage.exists(slug):
        return
    known = dict(settings.LANGUAGES)
    for language in storage.listdir(slug)[0]:
        if language in known or language not in dict(LANGUAGES):
            continue
        for name in storage.listdir(f"{slug}/{language}")[1]:
            path = f"{slug}/{language}/{name}"
            if name.startswith((PAGE, PICTURE)):
                storage.delete(path)
            elif name.endswith(".html") and storage.size(path):
                _write(storage, path, b"")


def write_component(content: bytes, *, name: str = COMPONENT, confirm: Callable[[], None]) -> None:
    """Write a script that all campaigns share, unless it is the same. As `write_files`."""
    published = read_component_file(name)
    if published is None or published.bodies[""] != content:
        storage = storages[ALIAS]
        with _write_alone(storage):
            confirm()
            _write(storage, name, content)


def _is_written(storage: Storage, path: str, content: bytes) -> bool:
    """Return whether a folder has this content and its copies; they are written before it."""
    if not isinstance(storage, FolderStorage):
        return False
    try:
        plain = Path(storage.path(path))
        written_at = plain.stat().st_mtime_ns
        copies = [Path(f"{plain}{ending}").stat().st_mtime_ns for ending in (".gz", ".br")]
        return max(copies) <= written_at and plain.read_bytes() == content
    except OSError:
        return False


def _write(storage: Storage, path: str, content: bytes) -> None:
    bodies = compress(path, content)
    for ending, coding in ((".gz", "gzip"), (".br", "br"), ("", "")):
        if coding in bodies:
            _save(storage, f"{path}{ending}", bodies[coding])


def delete_files(slug: str, *, confirm: Callable[[], None]) -> None:
    """Delete every file of a campaign. Raises any error of the storage."""
    storage = storages[ALIAS]
    with _write_alone(storage):
        confirm()
        for name in list_names():
            for ending in ("", ".gz", ".br"):
                storage.delete(f"{slug}/{name}{ending}")
        if isinstance(storage, FolderStorage):
            folders = {str(parent) for name in list_names() for parent in PurePath(name).parents}
            for folder in sorted(folders, reverse=True):  # the inner ones first
                _remove_folder(storage, f"{slug}/{folder}")


def _remove_folder(storage: FolderStorage, name: str) -> None:
    try:
        storage.delete(name)
    except OSError as error:  # it contains files that we didn't write
        log.warning("folder_left", folder=name, error=type(error).__name__)


@contextmanager
def _write_alone(storage: Storage) -> Iterator[bool]:
    """Take the folder's lock; yield whether the storage has one."""
    if isinstance(storage, FolderStorage):
        with storage.lock():
            yield True
    else:
        yield False


def _save(storage: Storage, name: str, content: bytes) -> None:
    saved = storage.save(name, ContentFile(content))
    if saved != name:
        storage.delete(saved)
        raise StorageRefused(
            "PUBLISH_STORAGE keeps old files instead of replacing them. Set its option for that in "
            "PUBLISH_STORAGE_OPTIONS."
        )


# Reading


def read_file(slug: str, name: str) -> PublishedFile | None:
    """Return a file from memory, or read it again if it changed. None if there is none.

    Both names must be ours: the slug of a campaign and a name of `list_names`.
    """
    return _read(f"{slug}/{name}", name)


def read_component_file(name: str = COMPONENT) -> PublishedFile | None:
    return _read(name, name)


def _read(path: str, name: str) -> PublishedFile | None:
    storage = storages[ALIAS]
    if isinstance(storage, FolderStorage):
        return _read_from_folder(f"{storage.location}/{path}", name)
    return _read_from_storage(storage, path, name)


_folder_files: dict[str, tuple[_Version, PublishedFile]] = {}


def _read_from_folder(path: str, name: str) -> PublishedFile | None:
    try:
        found = os.stat(path)
        version = (found.st_mtime_ns, found.st_ino, found.st_size)
        known = _folder_files.get(path)
        if known is not None and known[0] == version:
            return known[1]
        with open(path, "rb") as opened:
            content = opened.read()
    except (OSError, ValueError):
        _folder_files.pop(path, None)
        return None
    # The content can be newer than its version. The next reader then reads it again.
    file = _load(name, content)
    _remember(_folder_files, path, (version, file))
    return file


_storage_files: dict[str, tuple[float, PublishedFile | None]] = {}


def _read_from_storage(storage: Storage, path: str, name: str) -> PublishedFile | None:
    """Return the copy in memory. Only the first reader of a file waits for the storage."""
    known = _storage_files.get(path)
    now = time.monotonic()
    if known is None:
        return _fetch(storage, path, name, old=None)
    if now - known[0] > CHECK_SECONDS:
        _storage_files[path] = (now, known[1])
        threading.Thread(
            target=_fetch, args=(storage, path, name), kwargs={"old": known[1]}, daemon=True
        ).start()
    return known[1]


def _fetch(
    storage: Storage, path: str, name: str, *, old: PublishedFile | None
) -> PublishedFile | None:
    """Read a file from the storage. If that fails, keep the old one."""
    try:
        with storage.open(path) as opened:
            file: PublishedFile | None = _load(name, opened.read())
    except FileNotFoundError:
        file = None
    except Exception as error:  # every storage has its own errors
        log.warning("published_file_unreadable", file=path, error=type(error).__name__)
        file = old
    _remember(_storage_files, path, (time.monotonic(), file))
    return file


def _load(name: str, content: bytes) -> PublishedFile:
    digest = hashlib.sha256(content).hexdigest()[:20]
    content_type = CONTENT_TYPES[os.path.splitext(name)[1]]
    return PublishedFile(name, content_type, compress(name, content), digest)


def _remember(files: dict[str, _Entry], path: str, entry: _Entry) -> None:
    if len(files) >= MOST_FILES:
        files.clear()
    files[path] = entry
