"""Receipts: one A4 page for a payment, made by typst from `receipt.typ`.

Texts reach the template as data, never as markup. The same payment gives the same bytes until it
is refunded or disputed.
"""

import json
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language_bidi, gettext, override

from campaigns import fonts
from campaigns.gifts.cards import load_fonts, read_colours, read_fonts
from campaigns.members.overview import PaymentRow, describe_payment
from campaigns.members.purposes import describe_purpose
from campaigns.models import Dispute, Payment, Refund, find_zone, read_newsroom_name
from campaigns.money import format_money
from campaigns.people import isolate_direction

TEMPLATE = Path(__file__).with_name("receipt.typ")


def render_receipt(payment: Payment, *, language: str) -> bytes:
    """Return the receipt of a successful payment as a PDF in `language`."""
    with override(language):
        data = _describe(describe_payment(payment), language=language)
    return typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=load_fonts(),
        sys_inputs={"receipt": json.dumps(data)},
        format="pdf",
        timestamp=0,
    )


def _describe(row: PaymentRow, *, language: str) -> dict[str, Any]:
    payment = row.payment
    zone = find_zone(payment.campaign)
    amount = _money(payment.amount_minor, payment, language)
    facts = [
        (gettext("Receipt number"), payment.receipt_number or f"{payment.pk:06d}"),
        (gettext("Paid on"), _date(payment.paid_at, zone)),
        (gettext("Paid by"), payment.member.name),
        (gettext("E-mail"), payment.member.email),
        (gettext("Paid with"), _method(payment)),
        (gettext("Payment at Stripe"), payment.intent_id or ""),
    ]
    lines = [(describe_purpose(row, language=language), amount)]
    refunds = _list_refunds(payment)
    for moment, words, amount_minor in refunds:
        text = words % {"date": _date(moment, zone)}
        lines.append((text, _money(-amount_minor, payment, language)))
    left = max(payment.amount_minor - sum(amount_minor for *_, amount_minor in refunds), 0)
    return {
        "language": language.partition("-")[0],
        "colours": read_colours(),
        "fonts": read_fonts(),
        "title": gettext("Receipt"),
        "newsroom": fonts.drop_missing(read_newsroom_name()),
        "issuer": [text for line in settings.RECEIPT_ISSUER if (text := fonts.drop_missing(line))],
        "site": settings.SITE_URL,
        # A name that no font here can draw is left out; the e-mail address says who paid.
        "facts": [(name, text) for name, value in facts if (text := _isolate(value))],
        "lines": [(_isolate(text), amount) for text, amount in lines],
        "sum": [gettext("Total paid"), _money(left, payment, language)],
        "thanks": gettext("Thank you. %(newsroom_name)s is funded by its readers.")
        % {"newsroom_name": fonts.drop_missing(read_newsroom_name())},
        "questions": gettext("Questions? Write to %(address)s.")
        % {"address": settings.DEFAULT_FROM_EMAIL},
    }


def _isolate(text: str) -> str:
    """Return a text in its own direction, without the characters that no font can draw."""
    return isolate_direction(fonts.drop_missing(text), rtl=get_language_bidi())


def _list_refunds(payment: Payment) -> list[tuple[datetime, str, int]]:
    """Return the time, text and amount of refunds and lost disputes, oldest first."""
    refunds = [
        (refund.refunded_at, gettext("Refunded on %(date)s"), refund.amount_minor)
        for refund in payment.refunds.all()
        if refund.status == Refund.Status.SUCCEEDED
    ]
    refunds += [
        (
            dispute.withdrawn_at or dispute.opened_at,
            gettext("Refunded by your bank on %(date)s"),
            dispute.amount_minor,
        )
        for dispute in payment.disputes.all()
        if dispute.status == Dispute.LOST
    ]
    return sorted(refunds)


def _money(minor: int, payment: Payment, language: str) -> str:
    return format_money(minor, payment.currency, language=language)


def _date(moment: datetime, zone: tzinfo) -> str:
    return date_format(timezone.localtime(moment, zone), "j E Y")


def _method(payment: Payment) -> str:
    if not payment.method:
        return ""
    template = "emails/parts/membership/payment_method.txt"
    return render_to_string(template, {"payment": payment}).strip()
