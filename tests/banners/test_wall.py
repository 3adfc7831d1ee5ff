"""The wall screen in a browser: it keeps itself current."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from campaigns.banners import publish_campaign
from tests.support.browser import open_reader, run_chromium
from tests.support.factories import make_campaign

pytestmark = pytest.mark.once


def publish_number(counted: int) -> None:
    """Write the next number as publishing does; a browser's thread can't use the database."""
    file = Path(settings.PUBLISH_DIR) / "birthday" / "progress.json"
    [progress] = json.loads(file.read_text())
    progress["as_of"] = (timezone.now() + timedelta(minutes=1)).isoformat()
    progress["labels"]["en"]["counted"] = str(counted)
    file.write_text(json.dumps([progress | {"counted": counted}]))


@pytest.mark.django_db(transaction=True)
def test_an_open_wall_screen_shows_the_next_number(live_server: LiveServer) -> None:
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=10), ends_at=now + timedelta(days=20))
    publish_campaign(campaign.pk)
    with run_chromium() as browser, open_reader(browser) as reader:
        reader.page.clock.install()
        reader.page.goto(f"{live_server.url}/campaign/birthday/en/wall/")
        assert reader.page.locator(".campaign-number").inner_text() == "0"
        reader.check_page("wall")
        publish_number(1)
        reader.page.clock.run_for(16_000)
        reader.page.get_by_text("1 of 1,000 new members").wait_for()
