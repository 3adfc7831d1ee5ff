"""Daily and weekly reports: once each, about the days before, without anybody's name."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core import mail as mailbox

from campaigns import digests, jobs
from campaigns.models import (
    Campaign,
    ChatPost,
    Note,
    OutgoingMail,
    ReportMail,
    ReportMessage,
)
from campaigns.models.due import LEASE
from tests.support.factories import at, make_campaign, make_payment, make_refund, recount_campaign
from tests.support.reports import (
    join,
    list_reports,
    make_chat_webhook,
    make_reader,
    make_report_mail,
    next_due,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

TUESDAY_MORNING = at("2026-11-24 07:00")
MONDAY_MORNING = at("2026-11-23 07:00")


@pytest.fixture
def birthday() -> Campaign:
    campaign = make_campaign(target=20)
    join(campaign, "2026-11-16", 2)
    join(campaign, "2026-11-22", 1)
    join(campaign, "2026-11-23", 3)
    return campaign


def run_reports() -> None:
    jobs.run_due_jobs("report_mails", "chat_reports")


def facts_of(message: ReportMessage) -> dict[str, str]:
    [campaign] = message.content["campaigns"]
    return {fact["label"]: fact["value"] for fact in campaign["facts"]}


def test_a_daily_report_is_about_the_day_before(birthday: Campaign) -> None:
    receiver = make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    assert list_reports() == [("daily", "mia")]
    message = ReportMessage.objects.get()
    assert message.content["title"] == "Third birthday: 6 of 20 new members (30%)"
    facts = facts_of(message)
    assert facts["Joined, Monday, 23 November"] == "3 (the day before: 1)"
    assert facts["Money"] == "€180 (the day before: €60)"
    assert facts["To go"] == "14"
    assert facts["Expected by now at an even pace"] == "15 (9 behind)"  # 23.3 of 30 days
    assert facts["Pace over the last 7 full days"] == "0.6 a day"
    assert facts["Runs until"] == "1\N{NO-BREAK SPACE}December, 02:00"
    assert next_due(receiver) == TUESDAY_MORNING + timedelta(days=1)


def test_a_weekly_report_is_about_the_week_before(birthday: Campaign) -> None:
    make_report_mail(weekly=True, due_at=MONDAY_MORNING)
    with time_machine.travel(MONDAY_MORNING):
        run_reports()
    facts = facts_of(ReportMessage.objects.get())
    assert facts["Joined, 16 November to 22 November"] == "3 (the 7 days before: 0)"


def test_refunds_are_in_the_report(birthday: Campaign) -> None:
    payment = make_payment(birthday.payments.first().member, birthday, "2026-11-23 13:00")  # type: ignore[union-attr]
    make_refund(payment, "2026-11-23 14:00")
    recount_campaign(birthday)
    make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    assert facts_of(ReportMessage.objects.get())["Money"].startswith("€180")


def test_a_report_is_sent_once_however_often_the_job_runs(birthday: Campaign) -> None:
    receiver = make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
        ReportMail.objects.filter(pk=receiver.pk).update(due_at=TUESDAY_MORNING)
        run_reports()
        jobs.run_due_jobs("mails")
        jobs.run_due_jobs("mails")
    assert len(mailbox.outbox) == 1


def test_a_worker_that_dies_before_it_plans_the_next_report_sends_none_twice(
    birthday: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        with monkeypatch.context() as dying:
            dying.setattr("campaigns.digests.sending._plan_next", lambda _: 1 / 0)
            run_reports()
        jobs.run_due_jobs("mails")
    with time_machine.travel(TUESDAY_MORNING + 4 * LEASE):
        run_reports()
        jobs.run_due_jobs("mails")
    assert list_reports() == [("daily", "mia")]
    assert len(mailbox.outbox) == 1


def test_after_an_outage_only_the_latest_report_is_sent(birthday: Campaign) -> None:
    receiver = make_report_mail(daily=True, due_at=at("2026-11-20 07:00"))
    with time_machine.travel(at("2026-11-24 15:00")):
        run_reports()
    assert list_reports() == [("daily", "mia")]
    assert ReportMessage.objects.get().key == "daily:2026-11-24T07:en"
    assert next_due(receiver) == at("2026-11-25 07:00")


def test_a_weekly_report_that_is_days_late_is_left_out(birthday: Campaign) -> None:
    receiver = make_report_mail(weekly=True, due_at=MONDAY_MORNING)
    with time_machine.travel(at("2026-11-26 07:00")):
        run_reports()
    assert list_reports() == []
    assert next_due(receiver) == at("2026-11-30 07:00")


def test_nobody_gets_a_report_of_before_they_chose_it(birthday: Campaign) -> None:
    make_report_mail(
        weekly=True, daily=True, due_at=TUESDAY_MORNING, chosen_at=at("2026-11-23 12:00")
    )
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    assert list_reports() == [("daily", "mia")]


@pytest.mark.parametrize(
    ("day", "is_sent"), [("2026-11-01", False), ("2026-11-02", True), ("2026-12-01", True)]
)
def test_daily_reports_are_about_days_of_a_campaign(
    birthday: Campaign, day: str, is_sent: bool
) -> None:
    """The first comes after the first day, the last after the last."""
    due = at(f"{day} 07:00")
    Campaign.objects.update(starts_at=at("2026-11-01 08:00"))
    make_report_mail(daily=True, due_at=due)
    with time_machine.travel(due):
        run_reports()
    assert bool(list_reports()) == is_sent


def test_no_report_is_sent_without_a_campaign() -> None:
    receiver = make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    assert not ReportMessage.objects.exists()
    assert next_due(receiver) == TUESDAY_MORNING + timedelta(days=1)


def test_receivers_of_one_hour_and_language_share_a_report(birthday: Campaign) -> None:
    for name, language in (("mia", "en"), ("nora", "en"), ("otto", "uk")):
        make_report_mail(make_reader(name), daily=True, language=language, due_at=TUESDAY_MORNING)
    webhook = make_chat_webhook(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    assert ReportMessage.objects.count() == 2
    assert OutgoingMail.objects.filter(language="uk").count() == 1
    assert ChatPost.objects.get().webhook == webhook


def test_a_language_that_was_removed_is_replaced(birthday: Campaign) -> None:
    make_report_mail(daily=True, language="fr", due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    assert ReportMessage.objects.get().language == "en"


def test_who_may_no_longer_see_reports_gets_none(birthday: Campaign) -> None:
    mia, nora = make_reader("mia"), make_reader("nora")
    for user in (mia, nora):
        make_report_mail(user, daily=True, due_at=TUESDAY_MORNING)
    mia.groups.clear()
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
        assert list_reports() == [("daily", "nora")]
        nora.groups.clear()
        jobs.run_due_jobs("mails")
    assert mailbox.outbox == []


def test_a_choice_that_changes_while_a_report_is_written_is_kept(birthday: Campaign) -> None:
    receiver = make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        stale = ReportMail.objects.get()
        digests.schedule_receiver(receiver, at=TUESDAY_MORNING + timedelta(seconds=1))
        receiver.daily = False
        receiver.due_at = None
        receiver.save()
        digests.sending._plan_next(stale)
    assert next_due(receiver) is None


def test_no_report_names_a_reader(birthday: Campaign) -> None:
    """Neither members, nor staff who wrote a note."""
    mia = make_reader()
    Note.objects.create(
        campaign=birthday, at=at("2026-11-20 12:00"), text="Newsletter", written_by=mia
    )
    make_report_mail(mia, daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    written = json.dumps(ReportMessage.objects.get().content)
    assert "@" not in written
    assert "mia" not in written


def test_a_campaign_without_a_goal_is_reported(birthday: Campaign) -> None:
    birthday.goals.all().delete()
    make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
        jobs.run_due_jobs("mails")
    assert len(mailbox.outbox) == 1


def test_old_messages_are_emptied_and_not_sent_again(birthday: Campaign) -> None:
    make_report_mail(daily=True, due_at=TUESDAY_MORNING)
    with time_machine.travel(TUESDAY_MORNING):
        run_reports()
    digests.clear_old_messages(at=TUESDAY_MORNING + timedelta(days=34))
    assert ReportMessage.objects.get().content
    digests.clear_old_messages(at=TUESDAY_MORNING + timedelta(days=36))
    assert ReportMessage.objects.get().content == {}
    jobs.run_due_jobs("mails")
    assert mailbox.outbox == []
