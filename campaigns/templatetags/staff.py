"""Template tags for the admin's home page: campaigns, rows that need attention, latest sales."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.db.models import Model
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns import health
from campaigns.dates import write_short_day, write_short_moment
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    JobRun,
    OutgoingMail,
    Payment,
    PaymentState,
    Phase,
    Problem,
    StripeEvent,
)
from campaigns.reports.attention import CONCERNS, count_concerns
from campaigns.reports.first_steps import Step, list_first_steps
from campaigns.reports.glance import Glance, list_shown_campaigns, load_glances
from campaigns.reports.titles import name_row
from campaigns.zones import name_zone

register = template.Library()
register.filter("short_day", write_short_day)


@register.filter
def short_moment(moment: datetime, form: str = "") -> str:
    """Write a time for a list; the argument "no year" leaves out the year."""
    return write_short_moment(moment, with_year=form != "no year")


LATEST = 12


@dataclass(frozen=True)
class CampaignLine:
    campaign: Campaign
    glance: Glance

    @property
    def phase(self) -> str:
        return gettext("closed") if self.campaign.closed_at else str(self.glance.phase.label)


@dataclass(frozen=True)
class Sale:
    """A payment, or the claim of a gift."""

    at: datetime
    label: str
    url: str
    who: str
    payment: Payment | None = None


@register.simple_tag(takes_context=True)
def newest_campaigns(context: Context) -> list[CampaignLine]:
    """Return the newest campaigns with their progress, if the user may view campaigns."""
    user = context["request"].user
    if not user.has_perm("campaigns.view_campaign"):
        return []
    newest = list_shown_campaigns()
    language = get_language() or settings.LANGUAGE_CODE
    glances = load_glances(newest, at=timezone.now(), language=language)
    lines = [CampaignLine(*each) for each in zip(newest, glances, strict=True)]
    return sorted(lines, key=lambda line: line.glance.phase is not Phase.RUNNING)


@register.simple_tag(takes_context=True)
def latest_sales(context: Context) -> list[Sale]:
    """Return the latest payments and claims that the user may view, the newest first."""
    user = context["request"].user
    sees_people = user.has_perm("campaigns.view_member")
    sales: list[Sale] = []
    if user.has_perm("campaigns.view_payment"):
        for payment in Payment.objects.select_related("member").order_by("-paid_at", "-pk")[
            :LATEST
        ]:
            url = reverse("admin:campaigns_payment_change", args=[payment.pk])
            who = str(payment.member) if sees_people else ""
            label = str(capfirst(payment.get_role_display()))
            sales.append(Sale(payment.paid_at, label, url, who, payment))
    if user.has_perm("campaigns.view_gift"):
        claimed = Gift.objects.exclude(claimed_at=None).select_related("claimed_by")
        for gift in claimed.order_by("-claimed_at")[:LATEST]:
            url = reverse("admin:campaigns_gift_change", args=[gift.pk])
            assert gift.claimed_at is not None
            who = str(gift.claimed_by or "") if sees_people else ""
            sales.append(Sale(gift.claimed_at, gettext("Gift claimed"), url, who))
    return sorted(sales, key=lambda sale: sale.at, reverse=True)[:LATEST]


@register.simple_tag
def newsroom_zone() -> str:
    """Return the newsroom's time zone: Istanbul (UTC+3)."""
    zone = timezone.get_default_timezone_name()
    return name_zone(zone, get_language() or settings.LANGUAGE_CODE, at=timezone.now())


@register.simple_tag(takes_context=True)
def find_first_steps(context: Context) -> list[tuple[Step, str]]:
    """Return the first steps and the pages that the user may open, if they plan campaigns."""
    user = context["request"].user
    if not user.has_perm("campaigns.plan_campaign"):
        return []
    return [(step, _find_step_url(context, step)) for step in list_first_steps()]


def _find_step_url(context: Context, step: Step) -> str:
    user, name = context["request"].user, step.model._meta.model_name
    if step.page == "add" and not user.has_perm(f"campaigns.add_{name}"):
        return ""
    if not _may_view(context, step.model):
        return ""
    return _find_url(step.model, step.page, *([step.row.pk] if step.row else []))


@dataclass(frozen=True)
class ProblemLine:
    problem: Problem
    url: str  # empty if the user may not open it
    link: str  # its label


# The list that shows what a broken part holds up: its rows and its label.
_LISTS: dict[Problem.Kind, tuple[type[Model], Any]] = {
    Problem.Kind.MAIL: (OutgoingMail, _("See e-mails")),
    Problem.Kind.WEBHOOKS: (StripeEvent, _("See Stripe events")),
    Problem.Kind.STRIPE: (Checkout, _("See purchases")),
    Problem.Kind.STRIPE_KEY: (Checkout, _("See purchases")),
    Problem.Kind.PUBLISHING: (Campaign, _("See campaigns")),
}


def _list_problems(context: Context) -> list[ProblemLine]:
    """Return the parts that are broken, after checking the processes, and lists to look at."""
    health.watch_processes_soon()
    lines = []
    for problem in health.list_open_problems():
        model, label = _LISTS.get(Problem.Kind(problem.kind), (JobRun, _("See jobs")))
        url = _find_url(model, "changelist") if _may_view(context, model) else ""
        lines.append(ProblemLine(problem, url, str(label)))
    return lines


@dataclass(frozen=True)
class ConcernLine:
    label: str
    count: int
    url: str
    names: list[str]


@dataclass(frozen=True)
class Attention:
    """All that needs attention. Users who may view none of the concerns see only broken parts."""

    problems: list[ProblemLine]
    concerns: list[ConcernLine]
    sees_concerns: bool


@register.simple_tag(takes_context=True)
def find_attention(context: Context) -> Attention:
    """Return the parts that are broken, after checking the processes, and the rows to look at."""
    problems: list[ProblemLine] = []
    if context["request"].user.has_perm("campaigns.view_problem"):
        problems = _list_problems(context)
    viewed = [each for each in CONCERNS if _may_view(context, each.model)]
    lines = []
    counts = count_concerns(viewed, at=timezone.now())
    for concern in viewed:
        if count := counts[concern.name]:
            url = f"{_find_url(concern.model, 'changelist')}?needs={concern.name}"
            names = concern.name_rows() if concern.name_rows else []
            lines.append(ConcernLine(str(concern.label), count, url, names))
    return Attention(problems, lines, bool(viewed))


def _may_view(context: Context, model: type[Model]) -> bool:
    named = f"{model._meta.app_label}.{{}}_{model._meta.model_name}".format
    return any(context["request"].user.has_perm(named(deed)) for deed in ("view", "change"))


def _find_url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@register.filter
def column_name(field: Any) -> str:
    """Return the name of a column that is a field's name or a function."""
    return str(getattr(field, "__name__", field))


@register.filter
def row_title(row: Model) -> str:
    """Return what a row is called beside others of the same person: without people."""
    return name_row(row, sees_people=False)


@register.filter
def payment_state(value: str) -> str:
    """Return the name of a payment's state, see PaymentState."""
    return str(PaymentState(value).label)


@register.simple_tag(takes_context=True)
def row_link(context: Context, row: Model | None) -> str:
    """Return the URL of a row's page if the user may view it, or an empty string."""
    if row is None or not _may_view(context, type(row)):
        return ""
    return _find_url(type(row), "change", row.pk)
