"""When files are due, the age at which a banner loses its number, and hidden banners."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings, settings
from django.utils import timezone

from campaigns.banners import (
    hide_banners,
    list_campaigns_to_publish,
    publish_campaign,
    read_banner,
    request_publishing,
    show_banners,
)
from campaigns.banners.placements import EMBEDDED
from campaigns.models import Banner, Campaign
from campaigns.progress import close_campaign, fingerprint, measure_campaign
from tests.support.factories import at, make_campaign

pytestmark = pytest.mark.django_db


def close(campaign: Campaign) -> None:
    goals = measure_campaign(campaign, at=timezone.now())
    close_campaign(campaign.pk, by="editor", seen=fingerprint(goals))


def publish_at(moment: str) -> Campaign:
    with time_machine.travel(at(moment), tick=False):
        publish_campaign(Campaign.objects.get().pk)
    return Campaign.objects.get()


@pytest.mark.parametrize(
    ("published", "change"),
    [
        ("2026-10-31 23:59:30", "2026-11-01 00:00"),  # it starts
        ("2026-11-29 21:59:45", "2026-11-29 22:00"),  # the last day begins in Kyiv
        ("2026-11-30 23:59:30", "2026-12-01 00:00"),  # it ends
        ("2026-11-10 12:00:00", "2026-11-10 12:00:40"),  # nothing changes, but the time grows old
    ],
)
def test_files_are_due_when_the_state_changes(published: str, change: str) -> None:
    make_campaign(ends_at=at("2026-12-01 00:00"))
    campaign = publish_at(published)
    if change == "2026-11-29 22:00":
        Campaign.objects.update(ends_at=at("2026-11-30 22:00"))
        campaign = publish_at(published)
    assert campaign.publish_at == at(change)
    assert list_campaigns_to_publish(at=at(change) - timedelta(seconds=1)) == []
    assert list_campaigns_to_publish(at=at(change)) == [campaign]


def test_a_closed_campaign_is_published_hourly() -> None:
    campaign = make_campaign(ends_at=at("2026-11-20 00:00"))
    close(campaign)
    assert publish_at("2026-11-25 12:00").publish_at == at("2026-11-25 13:00")


def test_a_request_during_publishing_is_not_lost(settings: LazySettings) -> None:
    campaign = make_campaign()

    class Meanwhile:
        def __str__(self) -> str:
            request_publishing(campaign.pk)
            return "The Meridian Post"

    settings.NEWSROOM_NAME = Meanwhile()
    publish_campaign(campaign.pk)
    assert list_campaigns_to_publish(at=timezone.now()) == [campaign]


def test_a_clock_that_was_wrong_delays_nothing() -> None:
    """A machine published, and died while it did so again, with a clock two days ahead."""
    campaign = make_campaign()
    publish_at("2026-11-12 12:00")
    Campaign.objects.update(publish_lease_until=at("2026-11-12 12:01"))
    with time_machine.travel(at("2026-11-10 12:00"), tick=False):
        assert list_campaigns_to_publish(at=timezone.now()) == [campaign]
        assert publish_campaign(campaign.pk) is not None
        assert "10 November, 14:00" in read_banner("birthday", "inline", language="en")
        assert list_campaigns_to_publish(at=timezone.now()) == []
    campaign.refresh_from_db()
    assert campaign.publish_at == at("2026-11-10 12:00:40")


# Too old


def test_an_old_banner_keeps_its_text_and_loses_its_number() -> None:
    campaign = make_campaign()
    Banner.objects.create(
        campaign=campaign,
        placement="inline",
        state="running",
        language="en",
        headline="Join us by {ends}",
        text="We have {counted} members. Only {left} to go! Help us.",
    )
    now = timezone.now()
    publish_campaign(campaign.pk)
    fresh = read_banner("birthday", "inline", language="en")
    assert "We have 0 members. Only 1,000 to go! Help us." in fresh
    with time_machine.travel(now + timedelta(minutes=31)):
        for placement in EMBEDDED:
            old = read_banner("birthday", placement, language="en")
            assert "of 1,000 new members" not in old
            assert 'class="campaign-bar' not in old
            assert "as of" not in old
            assert "Become a member" in old
        inline = read_banner("birthday", "inline", language="en")
        assert "Join us by 1&#160;December" in inline
        assert re.search(r'campaign-text">Help us\.<', inline)
    publish_campaign(campaign.pk)
    assert "of 1,000 new members" in read_banner("birthday", "inline", language="en")


def test_a_final_count_never_grows_old() -> None:
    campaign = make_campaign(ends_at=at("2026-11-20 00:00"))
    close(campaign)
    publish_campaign(campaign.pk)
    with time_machine.travel(timezone.now() + timedelta(days=300)):
        assert "of 1,000 new members" in read_banner("birthday", "inline", language="en")


# Hidden


def test_hidden_banners_are_empty_and_the_page_stays() -> None:
    campaign = make_campaign()
    publish_campaign(campaign.pk)
    hide_banners(campaign.pk)
    assert list_campaigns_to_publish(at=timezone.now()) == [campaign]
    publish_campaign(campaign.pk)
    folder = settings.PUBLISH_DIR / "birthday"
    for placement in EMBEDDED:
        assert read_banner("birthday", placement, language="en") == ""
        for name in (f"{placement}-without-number.html", f"{placement}-member.html"):
            assert (folder / "en" / name).read_bytes() == b""
        data = json.loads((folder / "en" / f"{placement}.json").read_bytes())
        assert not {"banner", "without_number", "for_member"} & set(data)
        assert (
            "campaign-banner"
            not in (folder / "en" / f"{placement}-frame.html")
            .read_text("ascii")
            .partition("</style>")[2]
            .partition("<script>")[0]
        )
    assert "of 1,000 new members" in (folder / "en" / "index.html").read_text()
    show_banners(campaign.pk)
    publish_campaign(campaign.pk)
    assert "of 1,000 new members" in read_banner("birthday", "top", language="en")


@pytest.mark.parametrize("obstacle", ["recount", "no goal"])
def test_banners_are_hidden_in_any_case(obstacle: str) -> None:
    campaign = make_campaign()
    publish_campaign(campaign.pk)
    if obstacle == "recount":
        Campaign.objects.update(recount_at=timezone.now())
    else:
        campaign.goals.all().delete()
    hide_banners(campaign.pk)
    assert list_campaigns_to_publish(at=timezone.now()) == [campaign]
    assert publish_campaign(campaign.pk) is None
    assert read_banner("birthday", "top", language="en") == ""
