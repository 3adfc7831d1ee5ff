"""The admin's navigation: by work, not by table.

Every model in the admin is an entry of a section, or below an entry: then it's linked on the list
of what it belongs to. tests/admin/test_navigation.py finds models that are in neither.
"""

from dataclasses import dataclass
from typing import Any

from auditlog.models import LogEntry
from django import template
from django.contrib.auth.models import User
from django.db.models import Model
from django.db.models.options import Options
from django.http import HttpRequest
from django.template.context import Context
from django.urls import reverse
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
    """A page that is no list. Users with the permission may open it."""

    url_name: str
    label: Promise | str
    permission: str


@dataclass(frozen=True)
class Section:
    label: Promise | str
    entries: tuple[Entry, ...]
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool


SECTIONS = (
    Section(
        _("Campaign"),
        (
            Entry(Campaign, below=(Tally, PublishedNumber, ReportToken)),
            Entry(WallEntry),
            Entry(Look, _("Name, logo and colours")),
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
    """Return the sections with their links, without what the user may not view."""
    request = context["request"]
    sections = []
    for section in SECTIONS:
        links = [
            _link(request, entry.model, str(entry.label))
            for entry in section.entries
            if may_view(request, entry.model)
        ]
        for place in section.places:
            if request.user.has_perm(place.permission):
                url = reverse(place.url_name)
                links.append(Link(str(place.label), url, request.path == url))
        if links:
            sections.append((str(section.label), links))
    return sections


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
