"""Payments in an unexpected currency: staff accept them for the campaign, or decline them."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, tasks
from campaigns.admin.forms import WhyForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.admin.site import staff_money
from campaigns.models import Payment
from campaigns.models.moves import ForbiddenMove

_Hold = Payment.Hold


class DecideForm(WhyForm):
    field_order = ["hold", "why"]

    hold = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("", "---------"),
            (_Hold.ACCEPTED, _("Accept: it counts like a payment in the expected currency.")),
            (_Hold.REFUSED, _("Decline: it doesn’t count.")),
        ],
    )


def describe_hold(payment: Payment) -> str:
    """Return why a payment was held, and what was decided."""
    asked = payment.checkout
    words = {
        _Hold.WAITING: gettext(
            "The price was %(asked)s, but %(paid)s was paid, in a different currency. The payment "
            "doesn’t count until you accept or decline it."
        ),
        _Hold.ACCEPTED: gettext(
            "The price was %(asked)s, but %(paid)s was paid, in a different currency. The payment "
            "was accepted. The member or gift counts; the amount doesn’t count towards a money "
            "goal in another currency."
        ),
        _Hold.REFUSED: gettext(
            "The price was %(asked)s, but %(paid)s was paid, in a different currency. The payment "
            "was declined and doesn’t count."
        ),
    }[_Hold(payment.hold)]
    return words % {
        "asked": staff_money(asked.amount_minor, asked.currency) if asked else "-",
        "paid": staff_money(payment.amount_minor, payment.currency),
    }


def _show_decision(pages: ActionPages, request: HttpRequest, payment: Payment) -> HttpResponse:
    explanation = gettext(
        "The buyer keeps what they bought, whatever you decide. To return the money, refund the "
        "payment."
    )
    return pages.answer_form(
        request,
        payment,
        DecideForm(request.POST or None),
        do=lambda wanted, user: _decide(payment, wanted, user),
        title=gettext("Accept or decline payment"),
        button=gettext("Save decision"),
        explanation=f"{describe_hold(payment)} {explanation}",
    )


def _refuse(payment: Payment) -> str:
    return "" if payment.hold else gettext("Nothing was changed: this payment is not held.")


def _decide(payment: Payment, wanted: dict[str, Any], user: User) -> Done:
    hold = _Hold(wanted["hold"])
    try:
        if hold == _Hold.ACCEPTED:
            actions.accept_held_payment(payment)
        else:
            actions.decline_held_payment(payment)
    except ForbiddenMove as error:
        raise NotDone(gettext("Nothing was changed: that was already decided.")) from error
    tasks.hurry(*tasks.EFFECTS)
    if hold == _Hold.ACCEPTED:
        words, entry = gettext("Payment accepted. It counts now."), gettext("Accepted: %(why)s")
    else:
        words, entry = (
            gettext("Payment declined. It doesn’t count."),
            gettext("Declined: %(why)s"),
        )
    return Done(words, entry=entry % {"why": wanted["why"]})


DECIDE = Page(
    name="decide",
    path="held/",
    view=_show_decision,
    permissions=("campaigns.refund_payment",),
    refuse=_refuse,
)
