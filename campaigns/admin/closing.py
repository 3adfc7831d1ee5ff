"""Closing a campaign: staff look at what is counted and what is pending, and the number is kept."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import banners, progress, tasks
from campaigns.admin.forms import (
    Done,
    Link,
    NotDone,
    Panel,
    StaffForm,
    WhyForm,
    answer_form,
    page_of,
)
from campaigns.models import Campaign, Phase
from campaigns.progress import Progress


class CloseForm(StaffForm):
    """Nothing is asked unless something is pending."""

    without_pending = forms.BooleanField(label=_("Close it without them"))

    def __init__(self, *args: Any, pending: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not pending:
            del self.fields["without_pending"]
            return
        self.fields["without_pending"].help_text = ngettext(
            "%(count)d payment begun in the window still waits for its bank. If it arrives later, "
            "it stands beside the number and is not in it.",
            "%(count)d payments begun in the window still wait for their bank. What arrives later "
            "stands beside the number and is not in it.",
            pending,
        ) % {"count": pending}

    def fieldset(self) -> AdminForm:
        # No empty frame where nothing is asked.
        return super().fieldset() if self.visible_fields() else AdminForm(self, [], {})  # type: ignore[arg-type]


class ClosingPages(admin.ModelAdmin[Campaign]):
    """Two addresses more below each campaign's own, and how it stands above its form."""

    change_form_template = "campaigns/staff/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        here = self.admin_site.admin_view
        return [
            path("<int:campaign_id>/close/", here(self.close), name="campaigns_campaign_close"),
            path("<int:campaign_id>/reopen/", here(self.reopen), name="campaigns_campaign_reopen"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id) if object_id else None
        panel = {"panel": self._panel(request, campaign)} if campaign is not None else {}
        return super().changeform_view(request, object_id, form_url, panel | (extra_context or {}))

    def _panel(self, request: HttpRequest, campaign: Campaign) -> Panel:
        now = timezone.now()
        goals = progress.measure_campaign(campaign, at=now)
        links = []
        if self.has_change_permission(request, campaign):
            if campaign.closed_at is not None:
                url = reverse("admin:campaigns_campaign_reopen", args=[campaign.pk])
                links.append(Link(gettext("Open again"), url, is_grave=True))
            elif not refuse_closing(campaign, goals):
                url = reverse("admin:campaigns_campaign_close", args=[campaign.pk])
                links.append(Link(gettext("Close the campaign"), url))
        notices = _tell_recount(campaign)
        return Panel(state=_describe_state(campaign, goals), notices=notices, links=links)

    def _find_to_change(self, request: HttpRequest, campaign_id: int) -> Campaign:
        campaign = self.get_object(request, str(campaign_id))
        if campaign is None:
            raise Http404
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def close(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._find_to_change(request, campaign_id)
        goals = progress.measure_campaign(campaign, at=timezone.now())
        if refusal := refuse_closing(campaign, goals):
            self.message_user(request, refusal, messages.WARNING)
            return HttpResponseRedirect(page_of(campaign))
        shown = progress.fingerprint(goals)
        form = CloseForm(request.POST or None, initial={"seen": shown}, pending=_pending(goals))
        with transaction.atomic():  # closed and logged, or neither
            return answer_form(
                self,
                request,
                campaign,
                form,
                do=lambda wanted, user: _close(campaign, wanted, user),
                title=gettext("Close the campaign"),
                explanation=gettext(
                    "Counted now: %(numbers)s. Once closed, this is the number that readers are "
                    "shown. Refunds, lost disputes and late payments stand beside it, on the page "
                    "of progress and in the reports."
                )
                % {"numbers": _tell_numbers(goals)},
                newest=lambda: shown,
            )

    def reopen(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._find_to_change(request, campaign_id)
        if campaign.closed_at is None:
            self.message_user(request, gettext("It is not closed."), messages.WARNING)
            return HttpResponseRedirect(page_of(campaign))
        goals = progress.measure_campaign(campaign, at=timezone.now())
        with transaction.atomic():
            return answer_form(
                self,
                request,
                campaign,
                WhyForm(request.POST or None),
                do=lambda wanted, user: _reopen(campaign, wanted, goals),
                title=gettext("Open again"),
                explanation=gettext(
                    "%(state)s Opened again, readers are shown what is known now, as provisional "
                    "until somebody closes it. The kept number stays in the history alone."
                )
                % {"state": _describe_state(campaign, goals)},
            )


def refuse_closing(campaign: Campaign, goals: list[Progress]) -> str:
    """Why the campaign cannot be closed as it stands; nothing if it can."""
    if campaign.closed_at is not None:
        return _describe_state(campaign, goals)
    if not goals:
        return gettext("It has no goal, so there is no number to keep.")
    if campaign.recount_at is not None:
        return gettext("It is being counted anew; after that its number can be closed.")
    if campaign.phase(at=timezone.now()) is not Phase.ENDED:
        words = gettext("It runs until %(end)s; after that its number can be closed.")
        return words % {"end": in_its_zone(campaign, "ends_at")}
    return ""


def _close(campaign: Campaign, wanted: dict[str, Any], user: User) -> Done:
    try:
        goals = progress.close_campaign(
            campaign.pk, by=user.get_username(), seen=wanted.get("seen") or 0
        )
    except progress.AlreadyClosed as error:
        raise NotDone(gettext("A colleague has just closed it: nothing was changed.")) from error
    except progress.CannotClose as error:
        raise NotDone(
            gettext("The numbers changed since this page was opened. Please look at them again.")
        ) from error
    publish_soon([campaign.pk])
    words = gettext("The campaign is closed at %(numbers)s.") % {"numbers": _tell_numbers(goals)}
    if pending := _pending(goals):
        left_out = ngettext(
            "%(count)d pending payment is not in it.",
            "%(count)d pending payments are not in it.",
            pending,
        )
        words = f"{words} {left_out % {'count': pending}}"
    return Done(words)


def _reopen(campaign: Campaign, wanted: dict[str, Any], goals: list[Progress]) -> Done:
    if progress.reopen_campaign(campaign.pk) is None:
        raise NotDone(gettext("A colleague has just opened it again: nothing was changed."))
    publish_soon([campaign.pk])
    entry = gettext("Opened again: %(why)s (%(state)s)") % {
        "why": wanted["why"],
        "state": _describe_state(campaign, goals),
    }
    return Done(
        gettext("The campaign is open again: its number is provisional until it is closed."),
        entry=entry,
    )


def _describe_state(campaign: Campaign, goals: list[Progress]) -> str:
    if campaign.closed_at is not None:
        words = gettext("Closed on %(when)s by %(who)s at %(numbers)s.")
        told = words % {
            "when": in_its_zone(campaign, "closed_at"),
            "who": campaign.closed_by,
            "numbers": _tell_numbers(goals),
        }
        moved = [goal for goal in goals if goal.has_moved]
        if moved:
            known = gettext("As known now: %(numbers)s.")
            told = f"{told} {known % {'numbers': _tell_numbers(moved, known_now=True)}}"
        return told
    phase = campaign.phase(at=timezone.now())
    if phase is Phase.BEFORE:
        return gettext("Begins on %(start)s.") % {"start": in_its_zone(campaign, "starts_at")}
    if phase is Phase.RUNNING:
        return gettext("Runs until %(end)s.") % {"end": in_its_zone(campaign, "ends_at")}
    told = gettext("Over since %(end)s; the number is provisional until the campaign is closed.")
    told %= {"end": in_its_zone(campaign, "ends_at")}
    if pending := _pending(goals):
        waiting = ngettext(
            "%(count)d payment is pending.", "%(count)d payments are pending.", pending
        )
        told = f"{told} {waiting % {'count': pending}}"
    return told


def _tell_recount(campaign: Campaign) -> list[tuple[str, Link | None]]:
    measured = progress.measure_recount(campaign)
    if measured is None:
        return []
    done, total = (number_format(number, force_grouping=True) for number in measured)
    words = gettext(
        "Being counted anew: %(done)s of %(total)s purchases and people. Until the end readers are "
        "shown the last number that was published."
    )
    return [(words % {"done": done, "total": total}, None)]


def _tell_numbers(goals: list[Progress], *, known_now: bool = False) -> str:
    """Every goal's number, as readers are told it."""
    language = get_language() or "en"
    told = [goal.as_known_now() if known_now else goal for goal in goals]
    return "; ".join(banners.write_count(goal, language=language).words for goal in told)


def _pending(goals: list[Progress]) -> int:
    """The payments that may yet count for some goal: each goal has them, or some of them."""
    return max((goal.pending for goal in goals), default=0)


def in_its_zone(campaign: Campaign, name: str) -> str:
    """One of the campaign's times, in its own zone."""
    return date_format(getattr(campaign, name).astimezone(campaign.zone_info), "j E Y, H:i")


def publish_soon(campaign_ids: list[int]) -> None:
    def request_all() -> None:
        for campaign_id in campaign_ids:
            banners.request_publishing(campaign_id)

    # After the commit: everybody who settles shares that row.
    transaction.on_commit(request_all)
    tasks.run_soon(tasks.do_what_followed)
