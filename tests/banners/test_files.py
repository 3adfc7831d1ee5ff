"""Published files in a folder and in other storages: whole, newest, compressed, deletable."""

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
import time_machine
from django.conf import LazySettings, settings
from django.core.files.base import File
from django.core.files.storage import InMemoryStorage, storages
from django.utils import timezone

from campaigns.banners import files, publish_campaign, read_banner
from campaigns.banners.leases import LENGTH
from campaigns.models import Campaign
from tests.support.factories import make_campaign

pytestmark = pytest.mark.django_db


class Bucket(InMemoryStorage):
    """Replaces files, as S3 does; it can be out of order."""

    fault: Exception | None = None
    before_save: Callable[[], object] = staticmethod(lambda: None)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: "File[Any]") -> str:
        self.before_save()
        if self.fault:
            raise self.fault
        if self.exists(name):
            self.delete(name)
        return str(super()._save(name, content))  # type: ignore[misc]

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        if self.fault:
            raise self.fault
        opened: File[Any] = super()._open(name, mode)  # type: ignore[misc]
        return opened


@pytest.fixture
def campaign() -> Campaign:
    now = timezone.now()
    return make_campaign(starts_at=now - timedelta(days=10), ends_at=now + timedelta(days=20))


@pytest.fixture
def bucket(settings: LazySettings) -> Iterator[Bucket]:
    settings.STORAGES = settings.STORAGES | {
        "published": {"BACKEND": "tests.banners.test_files.Bucket"}
    }
    files._storage_files.clear()
    bucket = storages["published"]
    assert isinstance(bucket, Bucket)
    yield bucket
    files._storage_files.clear()


def read(name: str) -> bytes:
    return bytes((settings.PUBLISH_DIR / "birthday" / name).read_bytes())


def meanwhile(act: Callable[[], object]) -> object:
    """Return a name of the newspaper that acts when a banner is rendered with it."""

    class Name:
        def __str__(self) -> str:
            act()
            return "The Meridian Post"

    return Name()


def test_each_text_has_compressed_copies_with_the_same_content(campaign: Campaign) -> None:
    publish_campaign(campaign.pk)
    for name in ("en/top.html", "uk/index.html", "progress.json"):
        assert gzip.decompress(read(f"{name}.gz")) == read(name)
        assert brotli.decompress(read(f"{name}.br")) == read(name)
    assert not (settings.PUBLISH_DIR / "birthday" / "en" / "picture.png.gz").exists()


def test_an_older_rendering_never_replaces_a_newer_one(
    campaign: Campaign, settings: LazySettings
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def publish_on_another_machine() -> None:
            settings.NEWSROOM_NAME = "The Newer Post"
            clock.shift(LENGTH + timedelta(seconds=1))  # the first machine hangs meanwhile
            assert publish_campaign(campaign.pk) is not None

        settings.NEWSROOM_NAME = meanwhile(publish_on_another_machine)
        assert publish_campaign(campaign.pk) is None
    assert b"The Newer Post" in read("en/end.html")
    campaign.refresh_from_db()
    assert campaign.publish_lease_until is None
    assert campaign.publish_error == ""


def test_a_process_that_writes_is_waited_for(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.banners.storage.LOCK_SECONDS", 0.1)
    storage = storages["published"]
    with storage.lock(), pytest.raises(TimeoutError):  # type: ignore[attr-defined]
        publish_campaign(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.publish_error == "TimeoutError: another process is writing the files"
    assert publish_campaign(campaign.pk) is not None


def test_files_can_be_in_any_storage_that_replaces_files(
    campaign: Campaign, bucket: Bucket
) -> None:
    publish_campaign(campaign.pk)
    assert not settings.PUBLISH_DIR.exists()
    with bucket.open("birthday/en/top.html.br") as file:
        compressed = brotli.decompress(file.read()).decode()
    assert "of 1,000" in compressed
    assert read_banner("birthday", "top", language="en") == compressed


def test_a_storage_that_keeps_old_files_is_refused(
    campaign: Campaign, settings: LazySettings
) -> None:
    settings.STORAGES = settings.STORAGES | {
        "published": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }
    publish_campaign(campaign.pk)
    with pytest.raises(files.StorageRefused, match="PUBLISH_STORAGE_OPTIONS"):
        publish_campaign(campaign.pk)


def test_readers_keep_the_copy_in_memory_while_the_storage_fails(
    campaign: Campaign, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_campaign(campaign.pk)
    shown = read_banner("birthday", "top", language="en")
    assert "of 1,000" in shown
    bucket.fault = ConnectionError("the storage is down")
    monkeypatch.setattr(files, "CHECK_SECONDS", 0)
    for _ in range(5):
        assert read_banner("birthday", "top", language="en") == shown
        time.sleep(0.01)
    with pytest.raises(ConnectionError):
        publish_campaign(campaign.pk)
    bucket.fault = None
    Campaign.objects.update(publish_lease_until=None)
    campaign.goals.update(target=2000)
    publish_campaign(campaign.pk)
    deadline = time.monotonic() + 5
    while "of 2,000" not in read_banner("birthday", "top", language="en"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nobody_else_writes_while_a_slow_storage_takes_minutes(
    campaign: Campaign, bucket: Bucket
) -> None:
    began = timezone.now()
    others: list[object] = []
    with time_machine.travel(began, tick=False) as clock:

        def wait() -> None:
            clock.shift(LENGTH / 4)
            others.append(publish_campaign(campaign.pk))

        bucket.before_save = wait
        assert publish_campaign(campaign.pk) is not None
        assert timezone.now() - began > timedelta(minutes=10)
    assert set(others) == {None}
    names = [name for name in files.list_names() if "signup" not in name]
    assert all(bucket.exists(f"birthday/{name}") for name in names)


def test_a_storage_that_fails_halfway_leaves_whole_files(
    campaign: Campaign, bucket: Bucket
) -> None:
    publish_campaign(campaign.pk)
    whole = {name: bucket.open(f"birthday/{name}").read() for name in files.list_names()}
    campaign.goals.update(target=2000)
    saved: list[None] = []

    def fill_up() -> None:
        saved.append(None)
        if len(saved) > 40:
            bucket.fault = OSError(28, "No space left on device")

    bucket.before_save = fill_up
    with pytest.raises(OSError, match="No space"):
        publish_campaign(campaign.pk)
    bucket.fault = None
    now = {name: bucket.open(f"birthday/{name}").read() for name in files.list_names()}
    changed = [name for name in whole if now[name] != whole[name]]
    assert 0 < len(changed) < 40
    assert all(b"2,000" in now[name] or name.endswith((".png", ".svg")) for name in changed)
    campaign.refresh_from_db()
    assert "No space left on device" in campaign.publish_error


def test_a_failure_is_kept_with_its_beginning_until_publishing_works(
    campaign: Campaign, bucket: Bucket
) -> None:
    bucket.fault = PermissionError(13, "Permission denied")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = timezone.now()
        for _ in range(2):
            with pytest.raises(PermissionError):
                publish_campaign(campaign.pk)
            clock.shift(10)
        campaign.refresh_from_db()
        assert campaign.publish_failed_at == first
        assert "Permission denied" in campaign.publish_error
        assert campaign.publish_at == timezone.now()  # tried again after ten seconds
        bucket.fault = None
        publish_campaign(campaign.pk)
    campaign.refresh_from_db()
    assert not campaign.publish_failed_at
    assert campaign.publish_error == ""


def test_all_files_of_a_campaign_can_be_deleted(campaign: Campaign) -> None:
    other = make_campaign(slug="other", starts_at=campaign.starts_at, ends_at=campaign.ends_at)
    for each in (campaign, other):
        publish_campaign(each.pk)
    files.delete_files("birthday", confirm=lambda: None)
    folder = Path(settings.PUBLISH_DIR)
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"other"}
    assert read_banner("birthday", "top", language="en") == ""


def test_files_of_a_bucket_can_be_deleted(campaign: Campaign, bucket: Bucket) -> None:
    publish_campaign(campaign.pk)
    files.delete_files("birthday", confirm=lambda: None)
    assert not any(bucket.exists(f"birthday/{name}") for name in files.list_names())
