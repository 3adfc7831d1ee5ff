"""The buyer's page: each gift with its status, which can be resent or changed until claimed."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import gifts, tasks
from campaigns.attempts import is_first_within
from campaigns.emails import links
from campaigns.forms.buyers import GiftChangeForm
from campaigns.gifts.cards import render_card
from campaigns.models import Checkout, Gift
from campaigns.models.codes import CodeKeyLost
from campaigns.models.moves import ForbiddenMove
from campaigns.spreadsheets import neutralise_cell
from campaigns.views.gift_rows import GiftRow, State, describe_gift
from campaigns.views.limits import limited
from campaigns.views.pages import checkout_context, language, redirect_after_post, show_page
from campaigns.views.private import private, show_bad_link

log = structlog.get_logger(__name__)

Params = ParamSpec("Params")
RESEND_PAUSE = 60  # seconds
RESULTS = {"again", "new_code", "busy", "changed", "same"}


def _with_purchase(
    view: Callable[Concatenate[HttpRequest, Checkout, Params], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Pass the purchase named by the signed link to the view."""

    @wraps(view)
    def open_link(
        request: HttpRequest, token: str, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponseBase:
        try:
            checkout = (
                Checkout.objects.filter(kind=Checkout.Kind.GIFT)
                .select_related("campaign", "price__plan")
                .get(pk=links.read_gifts_token(token))
            )
        except (links.BadLink, Checkout.DoesNotExist):
            return show_bad_link(request, about="gifts")
        return view(request, checkout, *args, **kwargs)

    return open_link


@private
@limited("gifts", times=120, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@_with_purchase
def show_gifts(request: HttpRequest, checkout: Checkout) -> HttpResponseBase:
    """Show the gifts; a POST resends one of them, with its claim code or a new one."""
    if request.method != "POST":
        return _show_gifts(request, checkout)
    action = "new_code" if "new_code" in request.POST else "again"
    gift = _find_gift(checkout, request.POST.get(action, ""))
    if not gift.is_claimable:
        return _refuse(request, checkout, gift)
    if not is_first_within(RESEND_PAUSE, name=f"gift-sent:{gift.pk}"):
        return _redirect_to_gift(checkout, gift, done="busy")
    try:
        gifts.resend_gift(gift, with_new_code=action == "new_code")
    except ForbiddenMove:
        return _refuse(request, checkout, gift)
    tasks.hurry(*tasks.EFFECTS)
    return _redirect_to_gift(checkout, gift, done=action)


@private
@limited("gift_change", times=60, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@_with_purchase
def change_gift(request: HttpRequest, checkout: Checkout, position: int) -> HttpResponseBase:
    """Change the recipient or the delivery of a gift."""
    gift = _find_gift(checkout, position)
    row = describe_gift(gift, at=timezone.now())
    if not row.is_open:
        return _refuse(request, checkout, gift)
    form = GiftChangeForm(request.POST or None, gift=gift)
    if request.method == "POST" and form.is_valid():
        try:
            is_changed = _save_changes(gift, form)
        except ForbiddenMove:
            return _refuse(request, checkout, gift)
        tasks.hurry(*tasks.EFFECTS)
        return _redirect_to_gift(checkout, gift, done="changed" if is_changed else "same")
    context = checkout_context(checkout) | {
        "form": form,
        "row": row,
        "gift": gift,
        "gifts_url": _gifts_url(checkout),
    }
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/buyer/change.html", context, status=status)


def _save_changes(gift: Gift, form: GiftChangeForm) -> bool:
    """Save all changes or none, and return whether anything changed.

    Raises ForbiddenMove.
    """
    cleaned = form.cleaned_data
    recipient = {"name": cleaned["recipient_name"], "email": cleaned["recipient_email"]}
    is_new_recipient = recipient != {"name": gift.recipient_name, "email": gift.recipient_email}
    delivery = form.new_delivery()
    with transaction.atomic():
        if delivery is not None:
            gifts.change_delivery(gift, deliver_at=delivery.at, zone=delivery.zone)
        if is_new_recipient:
            gifts.change_recipient(gift, **recipient)
    return is_new_recipient or delivery is not None


@private
@require_safe
@_with_purchase
def show_card(request: HttpRequest, checkout: Checkout, position: int) -> HttpResponseBase:
    """Return the printable card of a gift that can be claimed."""
    gift = _find_gift(checkout, position)
    if not describe_gift(gift, at=timezone.now()).is_open:
        return _refuse(request, checkout, gift)
    try:
        card = render_card(gift, language=language())
    except CodeKeyLost:
        log.error("code_key_lost", gift=str(gift.pk)[:8])
        return _refuse(request, checkout, gift, status=503)
    name = f"gift-{gift.position + 1}.pdf"
    return HttpResponse(
        card,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@private
@require_safe
@_with_purchase
def export_links(request: HttpRequest, checkout: Checkout) -> HttpResponseBase:
    """Return all claim links as CSV; the byte order mark tells spreadsheets that it is UTF-8."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(
        [_("Name"), _("E-mail"), _("Status"), _("Claim link"), _("Claim code"), _("Claim by")]
    )
    for row in _describe_gifts(checkout):
        gift = row.gift
        claim_by = row.claim_by.isoformat() if row.is_open else ""
        cells = [gift.recipient_name, gift.recipient_email, row.words]
        writer.writerow(map(neutralise_cell, [*cells, row.claim_url, row.code, claim_by]))
    return HttpResponse(
        "\ufeff" + table.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="gift-links.csv"'},
    )


def _find_gift(checkout: Checkout, position: object) -> Gift:
    try:
        return _load_gifts(checkout)[int(str(position))]
    except (KeyError, ValueError) as error:
        raise Http404 from error


def _load_gifts(checkout: Checkout) -> dict[int, Gift]:
    found = checkout.gifts.select_related("checkout__campaign", "price__plan")
    return {gift.position: gift for gift in found.order_by("position")}


def _describe_gifts(checkout: Checkout) -> list[GiftRow]:
    now = timezone.now()
    return [describe_gift(gift, at=now) for gift in _load_gifts(checkout).values()]


def _gifts_url(checkout: Checkout) -> str:
    return reverse("campaigns:gifts", kwargs={"token": links.make_gifts_token(checkout)})


def _redirect_to_gift(checkout: Checkout, gift: Gift, *, done: str) -> HttpResponse:
    """Redirect to the list of gifts, which shows the result."""
    return redirect_after_post(f"{_gifts_url(checkout)}?done={done}&gift={gift.position}")


def _refuse(
    request: HttpRequest, checkout: Checkout, gift: Gift, *, status: int = 409
) -> HttpResponse:
    """Show the gifts and say that nothing was done, because this one has changed meanwhile."""
    return _show_gifts(request, checkout, refused=gift.position, status=status)


def _show_gifts(
    request: HttpRequest, checkout: Checkout, *, refused: int | None = None, status: int = 200
) -> HttpResponse:
    rows = _describe_gifts(checkout)
    for row in rows:
        if row.is_lost:
            log.error("code_key_lost", gift=str(row.gift.pk)[:8])
    done = request.GET.get("done", "")
    position = refused if refused is not None else request.GET.get("gift", "")
    token = links.make_gifts_token(checkout)
    context: dict[str, Any] = checkout_context(checkout) | {
        "rows": rows,
        "counts": _count_states(rows),
        "bounced": [row for row in rows if row.state is State.BOUNCED],
        "about": next((row for row in rows if str(row.gift.position) == str(position)), None),
        "done": done if done in RESULTS and refused is None else "",
        "is_refused": refused is not None,
        "token": token,
        "gifts_url": _gifts_url(checkout),
        "has_links": any(row.code for row in rows),
    }
    return show_page(request, "campaigns/readers/buyer/page.html", context, status=status)


def _count_states(rows: list[GiftRow]) -> list[tuple[str, int]]:
    """Return each state's label and its number of gifts, a summary of a long list."""
    counted = Counter(row.state for row in rows)
    return [(str(state.label), counted[state]) for state in State if counted[state]]
