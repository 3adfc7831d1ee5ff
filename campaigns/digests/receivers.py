"""Receivers of reports. The next report is due at their hour in the newspaper's zone."""

from datetime import UTC, datetime, time, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from campaigns.models import ReportMail, ReportMessage
from campaigns.models.report_receiver import ReportReceiver

MONDAY = 0
_WEEK = 7


def schedule_receiver(receiver: ReportReceiver, *, at: datetime) -> None:
    """Set when the next report is due, after a choice at `at`. The caller saves the receiver."""
    receiver.chosen_at = at
    receiver.due_at = find_next_report(receiver, after=at)


def find_next_report(receiver: ReportReceiver, *, after: datetime) -> datetime | None:
    """Return when the next daily or weekly report is due; None without either."""
    wanted = [
        kind
        for kind, is_wanted in (
            (ReportMessage.Kind.DAILY, receiver.daily),
            (ReportMessage.Kind.WEEKLY, receiver.weekly),
        )
        if is_wanted
    ]
    moments = [_find_moment(kind, receiver.hour, after=after) for kind in wanted]
    return min(moments, default=None)


def find_last_moment(kind: ReportMessage.Kind, hour: int, *, at: datetime) -> datetime:
    """Return when a report of this kind was due last, at `at` or before."""
    step = timedelta(days=_WEEK if kind is ReportMessage.Kind.WEEKLY else 1)
    # From a step and a day back, because days of the zone have 23 to 25 hours.
    moment = _find_moment(kind, hour, after=at - step - timedelta(days=1))
    while (following := _find_moment(kind, hour, after=moment)) <= at:
        moment = following
    return moment


def _find_moment(kind: ReportMessage.Kind, hour: int, *, after: datetime) -> datetime:
    """Return the first moment after `after` at which a report of this kind is due."""
    zone = timezone.get_default_timezone()
    day = after.astimezone(zone).date()
    while True:
        # In UTC, because times that clocks skip or repeat can't be compared in their zone.
        moment = datetime.combine(day, time(hour), zone).astimezone(UTC)
        is_its_day = kind is not ReportMessage.Kind.WEEKLY or day.weekday() == MONDAY
        if is_its_day and moment > after:
            return moment
        day += timedelta(days=1)


def may_get_reports(user: User) -> bool:
    """Return whether the user may see reports now, and has an address to send them to."""
    return user.is_active and bool(user.email) and user.has_perm("campaigns.view_campaign")


def stop_report_mails(report_mail_id: int) -> None:
    """Send no more reports to a user, until they choose some again."""
    ReportMail.objects.filter(pk=report_mail_id).update(
        daily=False, weekly=False, milestones=False, due_at=None
    )
