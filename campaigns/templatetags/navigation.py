"""The admin's navigation: by work, not by table.

Every model in the admin is an entry of a section, or below an entry: then it's linked on the list
of what it belongs to. tests/admin/test_navigation.py finds models that are in neither.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from auditlog.models import LogEntry
from django import template
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Model
from django.db.models.options import Options
from django.http import HttpRequest
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from campaigns.models import (
    ApiClient,
    Campaign,
    ChatWebhook,
    Checkout,
    Dispute,
    ErasedAddress,
    Erasure,
    GhostMember,
    Gift,
    JobFailure,
    JobRun,
    Look,
    Member,
    Membership,
    Newsletter,
    OptOut,
    OutgoingMail,
    Payment,
    Plan,
    PublishedNumber,
    Refund,
    RefundOrder,
    ReportMail,
    ReportToken,
    StripeCursor,
    StripeEvent,
    StripeSale,
    Subscription,
    Tally,
    WallEntry,
    WebhookDelivery,
    WebhookEndpoint,
)

register = template.Library()


@dataclass(frozen=True)
class Entry:
    """The list of a model. `below` are models whose rows belong to its rows."""

    model: type[Model]
    label: Promise | str = ""
    below: tuple[type[Model], ...] = ()


@dataclass(frozen=True)
class Place:
    """A page that is no list, or a list with a filter. Users with the permission may open it.

    A page of a campaign is that of the running one, or of the newest.
    """

    url_name: str
    label: Promise | str
    permission: str
    query: str = ""
    of_campaign: bool = False


@dataclass(frozen=True)
class Section:
    label: Promise | str
    entries: tuple[Entry, ...]
    places: tuple[Place, ...] = ()


class Link(NamedTuple):
    label: str
    url: str
    is_current: bool


def _of_campaign(page: str, label: Promise) -> Place:
    name = f"admin:campaigns_campaign_{page}"
    return Place(name, label, "campaigns.view_campaign", of_campaign=True)


SECTIONS = (
    Section(
        _("Campaign"),
        (
            Entry(Campaign, below=(Tally, PublishedNumber, ReportToken)),
            Entry(WallEntry),
            Entry(Look, _("Name, logo and colours")),
        ),
        (
            _of_campaign("progress", _("Report")),
            _of_campaign("change", _("Texts and goals")),
            _of_campaign("embed", _("Banners in articles")),
        ),
    ),
    Section(
        _("Reports"),
        (Entry(ReportMail, _("Reports by e-mail")), Entry(ChatWebhook)),
    ),
    Section(
        _("People"),
        (
            Entry(Member, below=(OptOut,)),
            Entry(Membership),
            Entry(Erasure, below=(ErasedAddress,)),
        ),
        (
            Place(
                "admin:campaigns_member_changelist",
                _("Duplicates"),
                "campaigns.view_member",
                "?needs=same-address",
            ),
        ),
    ),
    Section(
        _("Money"),
        (
            Entry(Payment),
            Entry(Refund, below=(RefundOrder,)),
            Entry(Dispute),
            Entry(Checkout, _("Purchases")),
            Entry(StripeSale, _("Sold at Stripe")),
            Entry(Plan, _("Plans and prices")),
        ),
    ),
    Section(_("Gifts"), (Entry(Gift),)),
    Section(
        _("Mail"),
        (
            Entry(OutgoingMail),
            Entry(Newsletter),
            Entry(Subscription, _("Newsletter subscriptions")),
        ),
    ),
    Section(
        _("System"),
        (
            Entry(StripeEvent, below=(StripeCursor,)),
            Entry(JobRun, below=(JobFailure,)),
            Entry(WebhookEndpoint, _("Webhooks"), below=(WebhookDelivery,)),
            Entry(GhostMember),
            Entry(ApiClient, _("Access for other systems")),
            Entry(User),
            Entry(LogEntry, _("History")),
        ),
        (Place("admin_setup", _("Is everything set up?"), "campaigns.view_jobrun"),),
    ),
)


@register.simple_tag(takes_context=True)
def list_sections(context: Context) -> list[tuple[str, list[Link]]]:
    """Return the sections with their links, without what the user may not view or doesn't use."""
    request = context["request"]
    campaign = _find_campaign() if request.user.has_perm("campaigns.view_campaign") else None
    has_ghost = bool(settings.GHOST_URL) or request.path.startswith(find_list_url(GhostMember))
    sections = []
    for section in SECTIONS:
        places = [
            _link_place(request, place, campaign)
            for place in section.places
            if request.user.has_perm(place.permission) and (campaign or not place.of_campaign)
        ]
        is_here = any(place.is_current for place in places)
        entries = [
            _link(request, entry.model, str(entry.label))
            for entry in section.entries
            if may_view(request, entry.model) and (entry.model is not GhostMember or has_ghost)
        ]
        # A page is marked once, by the narrowest link.
        links = [link._replace(is_current=link.is_current and not is_here) for link in entries]
        if links or places:
            # What people open every day comes first: the running campaign's own pages.
            first = sum(place.of_campaign for place in section.places) if campaign else 0
            shown = [*places[:first], *links, *places[first:]]
            sections.append((str(section.label), shown))
    return sections


def _find_campaign() -> Campaign | None:
    """Return the running campaign, or the newest."""
    campaigns = Campaign.objects.only("pk")
    running = campaigns.running(at=timezone.now()).first()
    return running or campaigns.order_by("-starts_at").first()


def _link_place(request: HttpRequest, place: Place, campaign: Campaign | None) -> Link:
    args = [campaign.pk] if place.of_campaign and campaign is not None else []
    url = f"{reverse(place.url_name, args=args)}{place.query}"
    here = request.get_full_path() if place.query else request.path
    return Link(str(place.label), url, here == url)


@register.simple_tag(takes_context=True)
def list_below(context: Context, opts: Options[Any]) -> list[Link]:
    """Return links to the lists of what belongs to rows of the model with these options."""
    request = context["request"]
    below = next((entry.below for entry in list_entries() if entry.model._meta is opts), ())
    return [_link(request, each) for each in below if may_view(request, each)]


@register.filter
def list_name(opts: Options[Any]) -> str:
    """Return what the list of the model with these options is called, as in the navigation."""
    labels = {entry.model._meta: str(entry.label) for entry in list_entries()}
    return labels.get(opts) or str(capfirst(opts.verbose_name_plural))


def list_entries() -> list[Entry]:
    return [entry for section in SECTIONS for entry in section.entries]


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    """Return whether the user may view the model's list."""
    name = f"{model._meta.app_label}.{{}}_{model._meta.model_name}".format
    return any(request.user.has_perm(name(deed)) for deed in ("view", "change"))


def find_list_url(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _link(request: HttpRequest, model: type[Model], label: str = "") -> Link:
    url = find_list_url(model)
    is_current = request.path.startswith(url)
    return Link(label or str(capfirst(model._meta.verbose_name_plural)), url, is_current)
