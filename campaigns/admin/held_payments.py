"""Payments in another currency than was asked for: staff take them for the campaign, or do not."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import settlement, tasks
from campaigns.admin.forms import Done, Link, NotDone, Panel, WhyForm, answer_form, page_of
from campaigns.admin.refunds import PERMISSION, RefundPages
from campaigns.admin.site import staff_money
from campaigns.models import Payment
from campaigns.models.moves import ForbiddenMove

_Hold = Payment.Hold


class DecideForm(WhyForm):
    field_order = ["hold", "why"]

    hold = forms.ChoiceField(
        label=_("What becomes of it"),
        choices=[
            ("", "---------"),
            (_Hold.ACCEPTED, _("Take it: it counts as if it had come as it was asked for.")),
            (_Hold.REFUSED, _("Do not take it: it counts nowhere.")),
        ],
    )


class HeldPages(RefundPages):
    """One address more below each payment's own, and what waits for it."""

    def get_urls(self) -> list[URLPattern]:
        here = self.admin_site.admin_view
        held = path(
            "<int:payment_id>/held/", here(self.decide_held), name="campaigns_payment_decide"
        )
        return [held, *super().get_urls()]

    def _panel(self, request: HttpRequest, payment: Payment) -> Panel:
        panel = super()._panel(request, payment)
        if payment.hold:
            url = reverse("admin:campaigns_payment_decide", args=[payment.pk])
            may = request.user.has_perm(PERMISSION)
            is_open = payment.hold == _Hold.WAITING
            label = gettext("Take it or not") if is_open else gettext("Decide anew")
            panel.notices.insert(0, (_tell_hold(payment), Link(label, url) if may else None))
        return panel

    def decide_held(self, request: HttpRequest, payment_id: int) -> HttpResponse:
        payment = self._find(request, payment_id)
        if not payment.hold:
            words = gettext("Nothing was changed: this payment is not held.")
            self.message_user(request, words, messages.WARNING)
            return HttpResponseRedirect(page_of(payment))
        return answer_form(
            self,
            request,
            payment,
            DecideForm(request.POST or None),
            do=lambda wanted, user: _decide(payment, wanted, user),
            title=gettext("Take it or not"),
            button=gettext("Decide"),
            explanation=f"{_tell_hold(payment)} "
            + gettext("What was bought is given in any case; to give the money back is a refund."),
        )


def _tell_hold(payment: Payment) -> str:
    asked = payment.checkout
    words = {
        _Hold.WAITING: gettext(
            "%(asked)s was asked for and %(paid)s was paid, in another currency. Until somebody "
            "says whether it is taken, it counts nowhere."
        ),
        _Hold.ACCEPTED: gettext(
            "%(asked)s was asked for and %(paid)s was paid, in another currency, and taken. It "
            "counts as a person or a gift, and in no goal of money of another currency."
        ),
        _Hold.REFUSED: gettext(
            "%(asked)s was asked for and %(paid)s was paid, in another currency, and not taken. "
            "It counts nowhere."
        ),
    }[_Hold(payment.hold)]
    return words % {
        "asked": staff_money(asked.amount_minor, asked.currency) if asked else "-",
        "paid": staff_money(payment.amount_minor, payment.currency),
    }


def _decide(payment: Payment, wanted: dict[str, Any], user: User) -> Done:
    hold = _Hold(wanted["hold"])
    try:
        settlement.decide_held(payment, hold)
    except ForbiddenMove as error:
        raise NotDone(gettext("Nothing was changed: it is decided so already.")) from error
    tasks.run_soon(tasks.do_what_followed)
    if hold == _Hold.ACCEPTED:
        words, entry = gettext("It is taken, and counts."), gettext("Taken: %(why)s")
    else:
        words, entry = (
            gettext("It is not taken, and counts nowhere."),
            gettext("Not taken: %(why)s"),
        )
    return Done(words, entry=entry % {"why": wanted["why"]})
