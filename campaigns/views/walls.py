"""The form for the wall, from the thank-you page and from the account page."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from campaigns import actions, banners, tasks
from campaigns.forms.wall import WallForm
from campaigns.models import Campaign, Checkout, Member, WallEntry
from campaigns.models.erasure import NOWHERE
from campaigns.views.account_session import require_member
from campaigns.views.limits import limited
from campaigns.views.pages import language, redirect_after_post, show_page
from campaigns.views.private import private


@dataclass(frozen=True)
class Place:
    """A campaign on whose wall a member is or can be, and the address of the form."""

    campaign: Campaign
    entry: WallEntry | None
    url: str

    @property
    def name(self) -> str:
        return self.campaign.copy_for(language()).name


def list_places(member: Member) -> list[Place]:
    """Return the walls for the account page: those the member is on, and those they can be on."""
    open_walls = banners.list_walls_for(member, at=timezone.now()).order_by().values("pk")
    on_walls = member.wall_entries.values("campaign")
    concerned = Campaign.objects.filter(Q(pk__in=open_walls) | Q(pk__in=on_walls))
    found = list(concerned.order_by("-starts_at", "pk"))
    if not found:  # as for most members of most newsrooms
        return []
    entries = {each.campaign_id: each for each in member.wall_entries.all()}
    return [
        Place(each, entries.get(each.pk), reverse("campaigns:account_wall", args=[each.slug]))
        for each in found
    ]


def offer_wall(checkout: Checkout) -> dict[str, Any]:
    """Return the wall for the thank-you page; nothing if the buyer can't be on it."""
    url = reverse("campaigns:thanks_wall", args=[checkout.pk])
    if checkout.member is None or checkout.kind != Checkout.Kind.JOIN:
        return {}
    places = [each for each in list_places(checkout.member) if each.campaign == checkout.campaign]
    return {"wall_place": Place(places[0].campaign, places[0].entry, url)} if places else {}


@private
@limited("wall", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def write_after_payment(request: HttpRequest, checkout_id: UUID) -> HttpResponseBase:
    """Show the form below the thank-you page, whose address only the buyer knows."""
    checkouts = Checkout.objects.filter(
        kind=Checkout.Kind.JOIN, status=Checkout.Status.PAID, member__erasure=None
    ).exclude(email__endswith=NOWHERE)
    checkout = get_object_or_404(checkouts.select_related("member", "campaign"), pk=checkout_id)
    if checkout.member is None or checkout.campaign is None:
        raise Http404
    back_url = reverse("campaigns:thanks", args=[checkout.pk])
    return _show_form(request, checkout.member, checkout.campaign, back_url=back_url)


@private
@limited("wall", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def write_in_account(request: HttpRequest, member: Member, slug: str) -> HttpResponseBase:
    campaign = get_object_or_404(Campaign, slug=slug)
    return _show_form(request, member, campaign, back_url=reverse("campaigns:account"))


def _show_form(
    request: HttpRequest, member: Member, campaign: Campaign, *, back_url: str
) -> HttpResponseBase:
    """Show the form; a POST saves the words, or removes them with the other button."""
    if "remove" in request.POST:
        actions.remove_wall_entry(member, campaign)
        tasks.hurry(*tasks.EFFECTS)
        return redirect_after_post(f"{back_url}#wall")
    entry = WallEntry.objects.filter(member=member, campaign=campaign).first()
    if not banners.list_walls_for(member, at=timezone.now()).filter(pk=campaign.pk).exists():
        if entry is None:
            raise Http404
        form = None  # the words can only be removed
    else:
        form = WallForm(
            request.POST if request.method == "POST" else None,
            initial=_fill_in(member, entry),
            label_suffix="",
        )
    if form is not None and form.is_valid():
        words = {key: form.cleaned_data[key] for key in ("first_name", "town", "sentence")}
        try:
            actions.write_wall_entry(member, campaign, language=language(), **words)
        except (actions.NotOnWall, actions.MemberGone) as error:
            raise Http404 from error
        tasks.hurry(*tasks.EFFECTS)
        return redirect_after_post(f"{back_url}#wall")
    context = {
        "form": form,
        "entry": entry,
        "campaign": campaign,
        "copy": campaign.copy_for(language()),
        "back_url": back_url,
    }
    status = 422 if form is not None and form.errors else 200
    return show_page(request, "campaigns/readers/wall/form.html", context, status=status)


def _fill_in(member: Member, entry: WallEntry | None) -> dict[str, Any]:
    if entry is not None:
        words = {key: getattr(entry, key) for key in ("first_name", "town", "sentence")}
        return words | {"agrees": True}
    return {"first_name": member.name.split(" ")[0][: WallEntry.LONGEST_NAME]}
