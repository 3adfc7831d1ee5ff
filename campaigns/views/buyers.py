"""The page of whoever gave: each gift and its state, sent again or changed until it is claimed."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import gifts, tasks
from campaigns.emails import links
from campaigns.forms.buyers import GiftChangeForm
from campaigns.models import Checkout, Gift
from campaigns.models.codes import CodeKeyLost
from campaigns.models.moves import ForbiddenMove
from campaigns.views.gift_rows import GiftRow, State, describe_gift
from campaigns.views.limits import is_first_within, limited
from campaigns.views.pages import context_of, language, show_page
from campaigns.views.private import private, show_closed

log = structlog.get_logger(__name__)

Params = ParamSpec("Params")
SEND_AGAIN = 60  # seconds
DONE = {"again", "new_code", "busy", "changed", "same"}
# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _of_buyer(
    view: Callable[Concatenate[HttpRequest, Checkout, Params], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Hand the view the purchase that the signed link names."""

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
            return show_closed(request, about="gifts")
        return view(request, checkout, *args, **kwargs)

    return open_link


@private
@limited("gifts", times=120, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@_of_buyer
def show_gifts(request: HttpRequest, checkout: Checkout) -> HttpResponseBase:
    if request.method != "POST":
        return _show(request, checkout)
    what = "new_code" if "new_code" in request.POST else "again"
    gift = _find(checkout, request.POST.get(what, ""))
    if not gift.is_claimable:
        return _refuse(request, checkout, gift)
    if not is_first_within(SEND_AGAIN, name=f"gift-sent:{gift.pk}"):
        return _back(checkout, gift, done="busy")
    try:
        gifts.resend_gift(gift, with_new_code=what == "new_code")
    except ForbiddenMove:
        return _refuse(request, checkout, gift)
    tasks.run_soon(tasks.do_what_followed)
    return _back(checkout, gift, done=what)


@private
@limited("gift_change", times=60, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@_of_buyer
def change_gift(request: HttpRequest, checkout: Checkout, position: int) -> HttpResponseBase:
    gift = _find(checkout, position)
    row = describe_gift(gift, at=timezone.now())
    if not row.is_open:
        return _refuse(request, checkout, gift)
    form = GiftChangeForm(request.POST or None, gift=gift)
    if request.method == "POST" and form.is_valid():
        try:
            is_changed = _change(gift, form)
        except ForbiddenMove:
            return _refuse(request, checkout, gift)
        tasks.run_soon(tasks.do_what_followed)
        return _back(checkout, gift, done="changed" if is_changed else "same")
    context = context_of(checkout) | {
        "form": form,
        "row": row,
        "gift": gift,
        "gifts_url": _address(checkout),
    }
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/buyer/change.html", context, status=status)


def _change(gift: Gift, form: GiftChangeForm) -> bool:
    """All of what was changed, or nothing of it; raises ForbiddenMove."""
    typed = form.cleaned_data
    person = {"name": typed["recipient_name"], "email": typed["recipient_email"]}
    is_another = person != {"name": gift.recipient_name, "email": gift.recipient_email}
    delivery = form.new_delivery()
    with transaction.atomic():
        if delivery is not None:
            gifts.change_delivery(gift, deliver_at=delivery.at, zone=delivery.zone)
        if is_another:
            gifts.change_recipient(gift, **person)
    return is_another or delivery is not None


@private
@require_safe
@_of_buyer
def show_card(request: HttpRequest, checkout: Checkout, position: int) -> HttpResponseBase:
    """The card to print, while the gift can be claimed."""
    gift = _find(checkout, position)
    if not describe_gift(gift, at=timezone.now()).is_open:
        return _refuse(request, checkout, gift)
    try:
        card = gifts.render_card(gift, language=language())
    except CodeKeyLost as error:
        log.error("code_key_lost", gift=str(error))
        return _refuse(request, checkout, gift, status=503)
    name = f"gift-{gift.position + 1}.pdf"
    return HttpResponse(
        card,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@private
@require_safe
@_of_buyer
def export_links(request: HttpRequest, checkout: Checkout) -> HttpResponseBase:
    """All claim links as a table, with a mark by which spreadsheets know that it is UTF-8."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow([_("Name"), _("E-mail"), _("State"), _("Claim link"), _("Code"), _("Claim by")])
    for row in _rows(checkout):
        gift = row.gift
        claim_by = row.claim_by.isoformat() if row.is_open else ""
        cells = [gift.recipient_name, gift.recipient_email, row.words]
        writer.writerow(map(_as_text, [*cells, row.claim_url, row.code, claim_by]))
    return HttpResponse(
        "\ufeff" + table.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="gift-links.csv"'},
    )


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _find(checkout: Checkout, position: object) -> Gift:
    try:
        return _gifts_of(checkout)[int(str(position))]
    except (KeyError, ValueError) as error:
        raise Http404 from error


def _gifts_of(checkout: Checkout) -> dict[int, Gift]:
    found = checkout.gifts.select_related("checkout__campaign", "price__plan")
    return {gift.position: gift for gift in found.order_by("position")}


def _rows(checkout: Checkout) -> list[GiftRow]:
    now = timezone.now()
    return [describe_gift(gift, at=now) for gift in _gifts_of(checkout).values()]


def _address(checkout: Checkout) -> str:
    return reverse("campaigns:gifts", kwargs={"token": links.gifts_token(checkout)})


def _back(checkout: Checkout, gift: Gift, *, done: str) -> HttpResponse:
    """To the list, which says what was done: reloading it does nothing once more."""
    answer = redirect(f"{_address(checkout)}?done={done}&gift={gift.position}")
    answer.status_code = 303
    return answer


def _refuse(
    request: HttpRequest, checkout: Checkout, gift: Gift, *, status: int = 409
) -> HttpResponse:
    """Somebody was quicker: nothing was done, and this is how it stands now."""
    return _show(request, checkout, refused=gift.position, status=status)


def _show(
    request: HttpRequest, checkout: Checkout, *, refused: int | None = None, status: int = 200
) -> HttpResponse:
    rows = _rows(checkout)
    for row in rows:
        if row.is_lost:
            log.error("code_key_lost", gift=str(row.gift.pk))
    done = request.GET.get("done", "")
    asked = refused if refused is not None else request.GET.get("gift", "")
    token = links.gifts_token(checkout)
    context: dict[str, Any] = context_of(checkout) | {
        "rows": rows,
        "counts": _count(rows),
        "returned": [row for row in rows if row.state is State.BOUNCED],
        "about": next((row for row in rows if str(row.gift.position) == str(asked)), None),
        "done": done if done in DONE and refused is None else "",
        "is_refused": refused is not None,
        "token": token,
        "gifts_url": _address(checkout),
        "has_links": any(row.code for row in rows),
    }
    return show_page(request, "campaigns/readers/buyer/page.html", context, status=status)


def _count(rows: list[GiftRow]) -> list[tuple[str, int]]:
    """How many are in which state, for who gave so many that they do not fit on a screen."""
    counted = Counter(row.state for row in rows)
    return [(str(state.label), counted[state]) for state in State if counted[state]]
