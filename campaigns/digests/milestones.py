"""Milestones: staff are notified of each once in a campaign, whatever the count does later.

Each 10 % of the primary goal, and the goal itself: of what the campaign has to bring, without a
starting number. Behind an even pace at the end of each of the last three full days. The last 24
hours.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns import deliveries
from campaigns.digests.contents import describe_milestone
from campaigns.digests.receivers import may_get_reports
from campaigns.digests.sending import find_language, hand_to_chat, hand_to_user, write_message
from campaigns.models import Campaign, ChatWebhook, Milestone, ReportMail, ReportMessage
from campaigns.progress import Progress, measure_campaign

Found = tuple[Milestone.Kind, int]
_DAYS_BEHIND = 3
_LAST_DAY = timedelta(hours=24)
# Something is still noticed so long after a campaign's end, for example after an outage.
_NOTICED_AFTER = timedelta(days=1)


def list_campaigns_to_watch(*, at: datetime) -> Sequence[int]:
    """Return the campaigns in which a milestone can be reached."""
    found = Campaign.objects.filter(
        starts_at__lte=at, ends_at__gt=at - _NOTICED_AFTER, closed_at__isnull=True
    )
    return list(found.filter(goals__is_primary=True).values_list("pk", flat=True))


def notice_milestones(campaign_id: int) -> int:
    """Record the milestones that were reached since, and announce them; return how many.

    Tenths of the goal are only recorded beside a larger one, and beside any other milestone.
    """
    now = timezone.now()
    campaign = Campaign.objects.get(pk=campaign_id)
    goal = next(iter(measure_campaign(campaign, at=now)), None)
    if goal is None:
        return 0
    known = set(Milestone.objects.filter(campaign=campaign).values_list("kind", "percent"))
    new = [found for found in _find(campaign, goal, known, at=now) if found not in known]
    if not new:
        return 0
    announced = [found for found in new if found[0] != Milestone.Kind.PERCENT] or [max(new)]
    messages = {found: _write(campaign, found, at=now) for found in announced}
    with transaction.atomic():
        for kind, percent in new:
            _row, is_new = Milestone.objects.get_or_create(
                campaign=campaign, kind=kind, percent=percent, defaults={"noticed_at": now}
            )
            if is_new and (kind, percent) in messages:
                _tell(messages[kind, percent])
                _write_event(campaign, goal, (kind, percent), at=now)
    return len(announced)


def _find(
    campaign: Campaign, goal: Progress, known: set[tuple[str, int]], *, at: datetime
) -> Iterator[Found]:
    reached = min(goal.counted * 100 // goal.first_own_target, 100)
    for percent in range(10, min(reached, 90) + 1, 10):
        yield Milestone.Kind.PERCENT, percent
    if reached >= 100:
        yield Milestone.Kind.GOAL, 0
    if not campaign.holds(at):
        return
    is_long = campaign.ends_at - campaign.starts_at >= 2 * _LAST_DAY
    if is_long and at >= campaign.ends_at - _LAST_DAY:
        yield Milestone.Kind.LAST_DAY, 0
    may_lose = reached < 100 and (Milestone.Kind.PACE_LOST, 0) not in known
    if may_lose and _is_behind_for_days(campaign, goal, at=at):
        yield Milestone.Kind.PACE_LOST, 0


def _is_behind_for_days(campaign: Campaign, goal: Progress, *, at: datetime) -> bool:
    """Return whether each of the last full days ended behind an even pace."""
    zone = campaign.zone_info
    midnight = datetime.combine(at.astimezone(zone).date(), time(), zone)
    ends = [midnight - timedelta(days=back) for back in range(_DAYS_BEHIND)]
    # The first of these days has to be a full day of the campaign.
    if ends[-1] - timedelta(days=1) < campaign.starts_at:
        return False
    length = campaign.ends_at - campaign.starts_at
    for end in ends:
        counted = next(iter(measure_campaign(campaign, at=end))).counted
        if counted >= goal.first_own_target * ((end - campaign.starts_at) / length):
            return False
    return True


def _write(campaign: Campaign, found: Found, *, at: datetime) -> dict[str, ReportMessage]:
    """Return the message in each language that someone wants it in."""
    languages = {find_language(receiver) for receiver in (*_list_users(), *_list_chats())}
    messages = {}
    for language in sorted(languages):
        with override(language):
            content = describe_milestone(campaign, _write_sentence(found), at=at, language=language)
        kind, percent = found
        key = f"milestone:{campaign.pk}:{kind}:{percent}:{language}"
        messages[language] = write_message(key, ReportMessage.Kind.MILESTONE, language, content)
    return messages


def _write_event(campaign: Campaign, goal: Progress, found: Found, *, at: datetime) -> None:
    """Notify other systems, too. Numbers are in the goal's unit, money in minor units."""
    kind, percent = found
    about = {"kind": kind, "percent": percent or None}
    numbers = {
        "counted": goal.counted,
        "target": goal.target,
        "currency": goal.currency or None,
    }
    deliveries.write_event(
        "campaign.milestone",
        {"campaign": campaign.slug, "milestone": about, "goal": {"kind": goal.kind, **numbers}},
        key=f"{campaign.pk}:{kind}:{percent}",
        happened_at=at,
    )


def _write_sentence(found: Found) -> str:
    kind, percent = found
    if kind is Milestone.Kind.PERCENT:
        return _("%(percent)d%% of the goal reached") % {"percent": percent}
    return {
        Milestone.Kind.GOAL: _("the goal is reached"),
        Milestone.Kind.PACE_LOST: _("behind an even pace for three days"),
        Milestone.Kind.LAST_DAY: _("24 hours left"),
    }[kind]


def _tell(messages: dict[str, ReportMessage]) -> None:
    for receiver in _list_users():
        if (message := messages.get(find_language(receiver))) is not None:
            hand_to_user(message, receiver)
    for webhook in _list_chats():
        if (message := messages.get(find_language(webhook))) is not None:
            hand_to_chat(message, webhook)


def _list_users() -> list[ReportMail]:
    chosen = ReportMail.objects.filter(milestones=True).select_related("user")
    return [receiver for receiver in chosen if may_get_reports(receiver.user)]


def _list_chats() -> list[ChatWebhook]:
    return list(ChatWebhook.objects.filter(milestones=True, is_active=True))
