"""A publishing host with a published campaign, a newspaper's site, and a browser."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.plugin import DjangoDbBlocker

from campaigns.banners import publish_campaign
from newsroom.published import PublishedFiles
from tests.hosts.server import HostPages, run_server
from tests.support.factories import make_campaign


@dataclass(frozen=True)
class Hosts:
    """`publisher` and `newspaper` are the URLs of two servers."""

    publisher: str
    newspaper: str
    pages: HostPages
    folder: Path

    def read(self, name: str) -> bytes:
        """Return a published file of the campaign in English."""
        return (self.folder / "birthday" / "en" / name).read_bytes()


@pytest.fixture(scope="module")
def published_hosts(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Hosts]:
    """Publish before the browser starts: where it runs, Django refuses to use the database."""
    folder, pages = tmp_path_factory.mktemp("published"), HostPages()
    with (
        run_server(PublishedFiles(pages)) as publisher,
        run_server(pages) as newspaper,
        override_settings(PUBLISH_DIR=folder, SITE_URL=publisher),
        django_db_blocker.unblock(),
    ):
        with transaction.atomic():
            now = timezone.now()
            campaign = make_campaign(
                starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=9)
            )
            publish_campaign(campaign.pk)
            transaction.set_rollback(True)
        yield Hosts(publisher, newspaper, pages, folder)


@pytest.fixture
def hosts(published_hosts: Hosts, settings: LazySettings) -> Hosts:
    settings.PUBLISH_DIR = published_hosts.folder
    return published_hosts


@pytest.fixture(scope="module")
def browser(published_hosts: Hosts, chromium: Browser) -> Browser:
    return chromium
