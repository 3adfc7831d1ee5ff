"""Milestones: noticed once each, and told to those who want to know."""

import pytest
import time_machine

from campaigns import jobs
from campaigns.digests import list_campaigns_to_watch
from campaigns.digests.milestones import notice_milestones
from campaigns.models import Campaign, ChatPost, Milestone, Payment, ReportMessage
from tests.support.factories import at, make_campaign, make_refund, recount_campaign
from tests.support.reports import (
    join,
    list_reports,
    make_chat_webhook,
    make_reader,
    make_report_mail,
)
from tests.support.threads import race

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def notice(moment: str) -> list[str]:
    """Run the job at that moment; return the titles that are new."""
    known = set(ReportMessage.objects.values_list("pk", flat=True))
    with time_machine.travel(at(moment)):
        jobs.run_due_jobs("milestones")
    new = ReportMessage.objects.exclude(pk__in=known).order_by("pk")
    return [message.content["title"].partition(": ")[2] for message in new]


@pytest.fixture
def birthday() -> Campaign:
    make_report_mail(milestones=True)
    return make_campaign(target=10)


def test_each_tenth_is_sent_once(birthday: Campaign) -> None:
    assert notice("2026-11-02 12:00") == []
    join(birthday, "2026-11-02", 1)
    assert notice("2026-11-02 13:00") == ["10% of the goal reached"]
    assert notice("2026-11-02 13:01") == []
    assert list_reports() == [("milestone", "mia")]


def test_the_largest_of_several_tenths_is_sent(birthday: Campaign) -> None:
    join(birthday, "2026-11-02", 4)
    assert notice("2026-11-02 13:00") == ["40% of the goal reached"]
    assert Milestone.objects.filter(kind="percent").count() == 4


def test_a_tenth_that_is_lost_and_reached_again_is_not_sent_again(birthday: Campaign) -> None:
    join(birthday, "2026-11-02", 2)
    assert notice("2026-11-02 13:00") == ["20% of the goal reached"]
    make_refund(Payment.objects.all()[0], "2026-11-02 14:00")
    recount_campaign(birthday)
    assert notice("2026-11-02 15:00") == []
    join(birthday, "2026-11-02", 1)
    assert notice("2026-11-02 16:00") == []


def test_a_starting_number_is_no_part_of_the_way(birthday: Campaign) -> None:
    birthday.goals.update(target=110, starts_from=100)
    assert notice("2026-11-02 12:00") == []
    join(birthday, "2026-11-02", 2)
    assert notice("2026-11-02 13:00") == ["20% of the goal reached"]
    join(birthday, "2026-11-02", 8)
    assert notice("2026-11-02 14:00") == ["the goal is reached"]


def test_the_goal_is_sent_once(birthday: Campaign) -> None:
    join(birthday, "2026-11-02", 10)
    assert notice("2026-11-02 13:00") == ["the goal is reached"]
    join(birthday, "2026-11-02", 5)
    assert notice("2026-11-02 14:00") == []


def test_the_last_day_is_sent_once_even_if_the_job_is_late(birthday: Campaign) -> None:
    join(birthday, "2026-11-02", 10)
    notice("2026-11-02 13:00")
    assert notice("2026-11-29 23:59") == []
    assert notice("2026-11-30 06:00") == ["24 hours left"]
    assert notice("2026-11-30 06:01") == []


def test_the_last_day_is_not_sent_after_the_end(birthday: Campaign) -> None:
    join(birthday, "2026-11-02", 10)
    notice("2026-11-02 13:00")
    assert notice("2026-12-01 00:30") == []


def test_a_campaign_of_a_day_has_no_last_day(birthday: Campaign) -> None:
    Campaign.objects.update(starts_at=at("2026-11-30 00:00"))
    assert notice("2026-11-30 12:00") == []


def test_three_days_behind_are_sent_once(birthday: Campaign) -> None:
    join(birthday, "2026-11-01", 1)  # enough until the fourth day
    notice("2026-11-02 12:00")
    assert notice("2026-11-05 12:00") == []
    assert notice("2026-11-07 12:00") == ["behind an even pace for three days"]
    assert notice("2026-11-08 12:00") == []


def test_a_day_on_pace_starts_the_three_days_again(birthday: Campaign) -> None:
    join(birthday, "2026-11-01", 1)
    notice("2026-11-02 12:00")
    join(birthday, "2026-11-06", 1)
    notice("2026-11-06 13:00")
    assert notice("2026-11-07 12:00") == []


def test_nothing_is_noticed_before_the_start_and_long_after_the_end(birthday: Campaign) -> None:
    assert list(list_campaigns_to_watch(at=at("2026-10-31 12:00"))) == []
    assert list(list_campaigns_to_watch(at=at("2026-11-20 12:00"))) == [birthday.pk]
    assert list(list_campaigns_to_watch(at=at("2026-12-01 12:00"))) == [birthday.pk]
    assert list(list_campaigns_to_watch(at=at("2026-12-03 12:00"))) == []


def test_it_is_sent_in_each_language_by_mail_and_to_chats(birthday: Campaign) -> None:
    make_report_mail(make_reader("olha"), milestones=True, language="uk")
    make_report_mail(make_reader("nora"), daily=True)
    make_chat_webhook(milestones=True, language="uk")
    make_chat_webhook(milestones=True, is_active=False)
    join(birthday, "2026-11-02", 1)
    assert len(notice("2026-11-02 13:00")) == 2
    assert list_reports() == [("milestone", "mia"), ("milestone", "olha")]
    assert ChatPost.objects.get().message.language == "uk"


def test_without_receivers_it_is_recorded_and_never_sent() -> None:
    campaign = make_campaign(target=10)
    join(campaign, "2026-11-02", 1)
    assert notice("2026-11-02 13:00") == []
    make_report_mail(milestones=True)
    assert notice("2026-11-02 14:00") == []
    assert Milestone.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_it_once(birthday: Campaign) -> None:
    join(birthday, "2026-11-02", 1)
    with time_machine.travel(at("2026-11-02 13:00")):
        race(lambda: notice_milestones(birthday.pk), lambda: notice_milestones(birthday.pk))
    assert Milestone.objects.count() == 1
    assert list_reports() == [("milestone", "mia")]
