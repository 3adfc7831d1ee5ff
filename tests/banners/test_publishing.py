"""Publishing banners and counts as files, and reading them."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.db import connection
from django.utils import timezone
from django.utils.functional import lazystr

from campaigns.banners import (
    list_campaigns_to_publish,
    publish_campaign,
    read_banner,
    request_publishing,
)
from campaigns.banners.files import name_forms
from campaigns.banners.placements import EMBEDDED
from campaigns.models import Campaign, PublishedNumber, Tally
from campaigns.progress import Progress
from tests.support.factories import make_campaign, make_member, make_payment

LANGUAGES = [code for code, _name in settings.LANGUAGES]


def published(campaign: Campaign) -> dict[str, str]:
    folder: Path = settings.PUBLISH_DIR / campaign.slug
    return {
        str(path.relative_to(folder)): path.read_text("utf-8", errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".gz", ".br"}
    }


def make_running_campaign() -> Campaign:
    now = timezone.now()
    return make_campaign(starts_at=now - timedelta(days=10), ends_at=now + timedelta(days=20))


def count_one_more(campaign: Campaign) -> None:
    member = make_member()
    moment = timezone.now() - timedelta(minutes=1)
    payment = make_payment(member, campaign, moment.isoformat())
    Tally.objects.create(campaign=campaign, member=member, payment=payment, counted_from=moment)


@pytest.mark.django_db
def test_every_placement_is_published_in_every_language_with_the_count() -> None:
    campaign = make_running_campaign()
    publish_campaign(campaign.pk)
    names = {
        f"{language}/{name}"
        for language in LANGUAGES
        for placement in EMBEDDED
        for name in (*name_forms(placement), "index.html", "picture.png")
    }
    files = published(campaign)
    for placement in EMBEDDED:
        assert all(files[f"uk/{name}"].isascii() for name in name_forms(placement))
    assert names <= set(files)
    assert json.loads(files["progress.json"])[0]["counted"] == 0
    assert read_banner("birthday", "end", language="uk") == files["uk/end.html"]
    assert read_banner("birthday", "end", language="de") == files["en/end.html"]


@pytest.mark.django_db
def test_a_file_is_replaced_as_a_whole() -> None:
    campaign = make_running_campaign()
    publish_campaign(campaign.pk)
    path = settings.PUBLISH_DIR / "birthday" / "en" / "top.html"
    with path.open("rb", buffering=0) as being_read:
        beginning = being_read.read(40)
        count_one_more(campaign)
        publish_campaign(campaign.pk)
        old = (beginning + being_read.read()).decode()
    assert ">0</strong> of 1,000" in old
    assert ">1</strong> of 1,000" in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.django_db
def test_an_error_while_rendering_leaves_all_files_unchanged(settings: LazySettings) -> None:
    campaign = make_running_campaign()
    publish_campaign(campaign.pk)
    good = published(campaign)
    count_one_more(campaign)

    class Fault:
        def __str__(self) -> str:
            raise RuntimeError("a fault in the middle of a banner")

    settings.NEWSROOM_NAME = Fault()
    with pytest.raises(RuntimeError, match="in the middle"):
        publish_campaign(campaign.pk)
    assert published(campaign) == good
    campaign.refresh_from_db()
    assert campaign.publish_lease_until is None  # the next run doesn't have to wait
    assert campaign.published.count() == 1

    settings.NEWSROOM_NAME = lazystr("The Meridian Post")
    publish_campaign(campaign.pk)
    assert published(campaign) != good


@pytest.mark.django_db
def test_only_one_of_two_concurrent_publishers_writes(settings: LazySettings) -> None:
    campaign = make_running_campaign()
    outcomes: list[Progress | None] = []

    class Meanwhile:
        def __str__(self) -> str:
            outcomes.append(publish_campaign(campaign.pk))
            return "The Meridian Post"

    settings.NEWSROOM_NAME = Meanwhile()
    assert publish_campaign(campaign.pk) is not None
    assert outcomes
    assert set(outcomes) == {None}
    assert "progress.json" in published(campaign)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_concurrent_publishers_store_one_count_and_leave_no_partial_file() -> None:
    campaign = make_running_campaign()
    start = threading.Barrier(4)
    faults: list[BaseException] = []

    def publish() -> None:
        try:
            start.wait(timeout=10)
            publish_campaign(campaign.pk)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert faults == []
    assert PublishedNumber.objects.count() == 1
    assert all(not Path(name).name.startswith(".") for name in published(campaign))


@pytest.mark.django_db
def test_a_dead_publisher_blocks_others_only_until_its_lease_ends() -> None:
    campaign = make_running_campaign()
    now = timezone.now()
    Campaign.objects.update(publish_lease_until=now + timedelta(seconds=30))
    assert publish_campaign(campaign.pk) is None
    assert published(campaign) == {}
    Campaign.objects.update(publish_lease_until=now - timedelta(seconds=1))
    assert publish_campaign(campaign.pk) is not None


@pytest.mark.django_db
def test_a_published_count_is_stored_only_when_it_changed() -> None:
    campaign = make_running_campaign()
    for _ in range(3):
        publish_campaign(campaign.pk)
    count_one_more(campaign)
    for _ in range(2):
        publish_campaign(campaign.pk)
    stored = campaign.published.order_by("pk").values_list("counted", "target")
    assert list(stored) == [(0, 1000), (1, 1000)]


@pytest.mark.django_db
def test_a_campaign_is_due_on_request_and_when_its_files_are_old() -> None:
    campaign = make_running_campaign()
    assert list_campaigns_to_publish(at=timezone.now()) == [campaign]  # never published
    publish_campaign(campaign.pk)
    assert list_campaigns_to_publish(at=timezone.now()) == []
    request_publishing(campaign.pk)
    assert list_campaigns_to_publish(at=timezone.now()) == [campaign]
    publish_campaign(campaign.pk)
    assert list_campaigns_to_publish(at=timezone.now()) == []
    assert list_campaigns_to_publish(at=timezone.now() + timedelta(seconds=61)) == [campaign]


@pytest.mark.django_db
def test_a_campaign_without_a_primary_goal_publishes_nothing() -> None:
    campaign = make_running_campaign()
    campaign.goals.update(is_primary=False)
    assert publish_campaign(campaign.pk) is None
    assert published(campaign) == {}


# Reading


@pytest.mark.parametrize(
    "slug", ["unknown", "", ".", "..", "../secret", "a/b", "x" * 5000, "a\0b", "день", "birthday\n"]
)
def test_a_missing_banner_is_empty_and_not_an_error(slug: str) -> None:
    assert read_banner(slug, "top", language="en") == ""


def test_no_argument_reads_a_file_outside_the_folder_of_banners(
    settings: LazySettings, tmp_path: Path
) -> None:
    for folder in ("secret/en", "published/birthday/en", "published/en"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "top.html").write_text("secret")
        (tmp_path / folder / "secret.html").write_text("secret")
    assert read_banner("birthday", "top", language="en") == "secret"  # banners are readable
    assert read_banner("../secret", "top", language="en") == ""
    assert read_banner(".", "top", language="en") == ""
    assert read_banner("birthday", "../en/top", language="en") == ""
    assert read_banner("birthday", "../../../secret/en/top", language="en") == ""
    assert read_banner("birthday", "secret", language="en") == ""
    assert (
        read_banner("birthday", "top", language="../../../secret/en") == "secret"
    )  # the default language


def test_a_damaged_file_is_empty_and_not_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "published" / "birthday" / "en"
    (folder / "end.html").mkdir(parents=True)
    (folder / "top.html").write_bytes(b"\xff\xfe\x00 broken")
    assert read_banner("birthday", "top", language="en") == ""
    assert read_banner("birthday", "end", language="en") == ""
