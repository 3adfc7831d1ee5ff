"""Closing a campaign: staff check what is counted and pending, and fix the final count."""

from typing import Any

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import banners, progress, tasks
from campaigns.admin.forms import StaffForm, WhyForm
from campaigns.admin.pages import ActionPages, Done, Link, NotDone, Page
from campaigns.dates import write_end, write_past_end
from campaigns.models import Campaign, Phase
from campaigns.progress import Progress


class CloseForm(StaffForm):
    """Asks for a confirmation if payments are pending, otherwise for nothing."""

    without_pending = forms.BooleanField()

    def __init__(self, *args: Any, pending: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not pending:
            del self.fields["without_pending"]
            return
        field = self.fields["without_pending"]
        field.label = ngettext(
            "Close without the %(count)d pending payment",
            "Close without the %(count)d pending payments",
            pending,
        ) % {"count": pending}
        field.help_text = gettext(
            "A bank still has to confirm. Later payments are shown separately and don’t change the "
            "final number."
        )

    def fieldset(self) -> AdminForm:
        # An empty fieldset would leave an empty frame.
        return super().fieldset() if self.visible_fields() else AdminForm(self, [], {})  # type: ignore[arg-type]


def _show_close_form(pages: ActionPages, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    goals = progress.measure_campaign(campaign, at=timezone.now())
    shown = progress.fingerprint(goals)
    form = CloseForm(request.POST or None, initial={"seen": shown}, pending=_pending(goals))
    with transaction.atomic():  # closed and logged, or neither
        return pages.answer_form(
            request,
            campaign,
            form,
            do=lambda wanted, user: _close(campaign, wanted, user),
            title=gettext("Close campaign"),
            explanation=gettext(
                "Current count: %(numbers)s. Once you close the campaign, readers see this as the "
                "final count. Later refunds, lost disputes and payments are shown separately, in "
                "the report."
            )
            % {"numbers": _describe_numbers(goals)},
            newest=lambda: shown,
        )


def _show_reopen_form(pages: ActionPages, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    goals = progress.measure_campaign(campaign, at=timezone.now())
    with transaction.atomic():
        return pages.answer_form(
            request,
            campaign,
            WhyForm(request.POST or None),
            do=lambda wanted, user: _reopen(campaign, wanted, goals),
            title=gettext("Reopen campaign"),
            explanation=gettext(
                "%(state)s Once you reopen the campaign, readers see the current count, marked as "
                "provisional until you close the campaign again. The final count stays in the "
                "history only."
            )
            % {"state": describe_state(campaign, goals)},
        )


def _refuse_closing(campaign: Campaign) -> str:
    """Return why the campaign cannot be closed now, or an empty string if it can."""
    goals = progress.measure_campaign(campaign, at=timezone.now())
    if campaign.closed_at is not None:
        return describe_state(campaign, goals)
    if not goals:
        return gettext("This campaign has no goal, so there is no final count to keep.")
    if campaign.recount_at is not None:
        return gettext("This campaign is being recounted. You can close it afterwards.")
    if campaign.phase(at=timezone.now()) is not Phase.ENDED:
        words = gettext("This campaign runs until %(end)s. You can close it afterwards.")
        return words % {"end": _describe_end(campaign)}
    return ""


def _refuse_reopening(campaign: Campaign) -> str:
    return gettext("This campaign isn’t closed.") if campaign.closed_at is None else ""


def _close(campaign: Campaign, wanted: dict[str, Any], user: User) -> Done:
    try:
        goals = progress.close_campaign(
            campaign.pk, by=user.get_username(), seen=wanted.get("seen") or 0
        )
    except progress.AlreadyClosed as error:
        raise NotDone(gettext("A colleague has just closed it. Nothing was changed.")) from error
    except progress.CannotClose as error:
        raise NotDone(
            gettext("The numbers have changed since you opened this page. Please check them again.")
        ) from error
    publish_soon([campaign.pk])
    words = gettext("Campaign closed at %(numbers)s.") % {"numbers": _describe_numbers(goals)}
    if pending := _pending(goals):
        left_out = ngettext(
            "%(count)d pending payment isn’t included.",
            "%(count)d pending payments aren’t included.",
            pending,
        )
        words = f"{words} {left_out % {'count': pending}}"
    return Done(words)


def _reopen(campaign: Campaign, wanted: dict[str, Any], goals: list[Progress]) -> Done:
    if progress.reopen_campaign(campaign.pk) is None:
        raise NotDone(gettext("A colleague has just reopened it. Nothing was changed."))
    publish_soon([campaign.pk])
    entry = gettext("Reopened: %(why)s (%(state)s)") % {
        "why": wanted["why"],
        "state": describe_state(campaign, goals),
    }
    words = gettext("Campaign reopened. Its count is provisional until you close it again.")
    return Done(words, entry=entry)


def describe_state(campaign: Campaign, goals: list[Progress]) -> str:
    """Return when the campaign runs, or how it was closed."""
    if campaign.closed_at is not None:
        words = gettext("Closed on %(when)s by %(who)s at %(numbers)s.")
        state = words % {
            "when": in_its_zone(campaign, "closed_at"),
            "who": campaign.closed_by,
            "numbers": _describe_numbers(goals),
        }
        moved = [goal for goal in goals if goal.has_moved]
        if moved:
            current = gettext("Current count: %(numbers)s.")
            numbers = _describe_numbers([goal.as_known_now() for goal in moved])
            state = f"{state} {current % {'numbers': numbers}}"
        return state
    phase = campaign.phase(at=timezone.now())
    if phase is Phase.BEFORE:
        return gettext("Starts on %(start)s.") % {"start": in_its_zone(campaign, "starts_at")}
    if phase is Phase.RUNNING:
        return gettext("Runs until %(end)s.") % {"end": _describe_end(campaign)}
    state = gettext("Ended on %(end)s. The count is provisional until you close the campaign.")
    state %= {"end": write_past_end(campaign.ends_at, zone=campaign.zone_info)}
    if pending := _pending(goals):
        words = ngettext(
            "%(count)d payment is pending.", "%(count)d payments are pending.", pending
        )
        state = f"{state} {words % {'count': pending}}"
    return state


def list_recounts(campaign: Campaign) -> list[tuple[str, Link | None]]:
    """Return a notice with the progress of a recount, if one is under way."""
    measured = progress.measure_recount(campaign)
    if measured is None:
        return []
    done, total = (number_format(number, force_grouping=True) for number in measured)
    words = gettext(
        "Recount in progress: %(done)s of %(total)s purchases and members. Until it is finished, "
        "readers see the last published number."
    )
    return [(words % {"done": done, "total": total}, None)]


def _describe_numbers(goals: list[Progress]) -> str:
    """Return the number of every goal, as readers see it."""
    language = get_language() or "en"
    return "; ".join(banners.write_count(goal, language=language).words for goal in goals)


def _pending(goals: list[Progress]) -> int:
    """Return how many payments may yet count for a goal; several goals share them."""
    return max((goal.pending for goal in goals), default=0)


def _describe_end(campaign: Campaign) -> str:
    return write_end(campaign.ends_at, zone=campaign.zone_info, at=timezone.now())


def in_its_zone(campaign: Campaign, name: str) -> str:
    """Return one of the campaign's times in its own zone."""
    return date_format(getattr(campaign, name).astimezone(campaign.zone_info), "j E Y, H:i")


def publish_soon(campaign_ids: list[int]) -> None:
    def request_all() -> None:
        for campaign_id in campaign_ids:
            banners.request_publishing(campaign_id)

    # After the commit, because every worker that settles a payment locks the same row.
    transaction.on_commit(request_all)
    tasks.hurry(*tasks.EFFECTS)


CLOSE = Page(
    name="close",
    path="close/",
    view=_show_close_form,
    permissions=("campaigns.close_campaign",),
    label=_("Close campaign"),
    refuse=_refuse_closing,
)
REOPEN = Page(
    name="reopen",
    path="reopen/",
    view=_show_reopen_form,
    permissions=("campaigns.close_campaign",),
    label=_("Reopen campaign"),
    refuse=_refuse_reopening,
    is_grave=True,
)
