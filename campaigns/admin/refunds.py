"""Refunds: staff order them here, or assign those made in the Stripe Dashboard to gifts."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, settlement, stripe_api, tasks
from campaigns.admin.attention import DealtWithAction, NeedsAttention
from campaigns.admin.identity import is_large_refund
from campaigns.admin.pages import ActionPages, Done, Link, NotDone, Page
from campaigns.admin.refund_forms import RefundedGiftsForm, RefundForm
from campaigns.admin.site import ViewOnlyInline, staff_money, yes_or_no
from campaigns.models import Gift, Payment, Refund, RefundOrder
from campaigns.models.moves import ForbiddenMove
from campaigns.reports.titles import isolate


class OrderColumns:
    """Columns of a refund order, in its list and on the page of its payment."""

    @admin.display(description=_("amount"))
    def money(self, order: RefundOrder) -> str:
        return _amount_of(order)

    @admin.display(description=_("outcome"))
    def outcome(self, order: RefundOrder) -> str:
        """Return Stripe's answer in words."""
        if order.refund_id and order.error:
            words = gettext("Refunded, but the membership wasn’t ended: %(reason)s")
            return words % {"reason": actions.explain_refusal(order)}
        if order.refund_id:
            return gettext("Refunded.")
        if order.due_at is None:
            reason = actions.explain_refusal(order)
            return gettext("Stripe refused: %(reason)s") % {"reason": reason}
        if order.error:
            return gettext("Stripe didn’t answer. We’ll try again automatically.")
        return gettext("Waiting for Stripe.")


def _amount_of(order: RefundOrder) -> str:
    return staff_money(order.amount_minor, order.payment.currency)


class RefundOrderInline(OrderColumns, ViewOnlyInline):
    model = RefundOrder
    fields = ["ordered_at", "money", "reason", "why", "ordered_by", "outcome"]
    readonly_fields = ["money", "outcome"]
    ordering = ["-ordered_at", "-pk"]
    verbose_name_plural = _("refunds ordered here")


@admin.register(RefundOrder)
class RefundOrderAdmin(OrderColumns, DealtWithAction):
    list_note = _("Refunds that staff ordered here. Stripe can still refuse them.")
    list_display = ["ordered_at", "money", "reason", "why", "ordered_by", "outcome"]
    list_display_links = ["ordered_at"]
    list_filter = [NeedsAttention, "reason", ("refund_id", yes_or_no(_("refunded")))]
    list_select_related = ["payment", "ordered_by"]
    dated_by = "ordered_at"
    ordering = ["-ordered_at", "-pk"]
    search_fields = [
        "refund_id",
        "payment__intent_id",
        "payment__member__email",
        "payment__member__name",
        "why",
    ]
    search_help_text = _("Name, e-mail address, Stripe ID or reason")
    fieldsets = [
        (None, {"fields": ["payment", "money", "gifts", "ends_membership"]}),
        (_("Reason"), {"fields": ["reason", "why", ("ordered_by", "ordered_at")]}),
        (_("At Stripe"), {"fields": ["outcome", "refund_id", "due_at"]}),
        DealtWithAction.dealt_with_fieldset,
    ]
    readonly_fields = ["money", "outcome", "dealt_with_by", "dealt_with_at"]


def _show_refund_form(pages: ActionPages, request: HttpRequest, payment: Payment) -> HttpResponse:
    form = RefundForm(
        request.POST or None,
        initial={"seen": actions.find_newest_order(payment)},
        payment=payment,
        left_minor=actions.compute_refundable(payment),
        gifts=actions.list_unrefunded_gifts(payment),
        can_end=actions.can_end_membership(payment),
    )
    return pages.answer_form(
        request,
        payment,
        form,
        do=lambda wanted, user: _refund_payment(payment, wanted, user),
        title=gettext("Refund payment"),
        explanation=_explain(payment),
        newest=lambda: actions.find_newest_order(payment),
        confirms=lambda wanted: is_large_refund(wanted["amount_minor"], payment.currency),
    )


def _show_assignment(
    pages: ActionPages, request: HttpRequest, payment: Payment, refund_id: int
) -> HttpResponse:
    refund = payment.refunds.filter(pk=refund_id).first()
    if refund is None:
        raise Http404
    if refund.pk not in {unassigned.pk for unassigned in actions.list_unassigned_refunds(payment)}:
        words = gettext("Nothing was changed: this refund is already assigned.")
        return pages.lead_back(request, payment, words)
    return pages.answer_form(
        request,
        payment,
        RefundedGiftsForm(request.POST or None, gifts=actions.list_unrefunded_gifts(payment)),
        do=lambda wanted, user: _assign_refund(refund, list(wanted["gifts"])),
        title=gettext("Assign refund to gifts"),
        button=gettext("Assign refund"),
        explanation=gettext(
            "%(amount)s was refunded in the Stripe Dashboard. Choose the gifts it was for. They "
            "are revoked and stop counting; if one was claimed, you decide what happens to the "
            "membership. If the refund was for none of them (a discount, for example), choose "
            "none."
        )
        % {"amount": staff_money(refund.amount_minor, payment.currency)},
    )


def list_unassigned(
    pages: ActionPages, payment: Payment, *, may_assign: bool
) -> list[tuple[str, Link | None]]:
    """Return a notice for each refund that staff have yet to assign to gifts."""
    notices = []
    for refund in actions.list_unassigned_refunds(payment):
        words = gettext(
            "%(amount)s was refunded in the Stripe Dashboard on %(day)s, but this payment bought "
            "several gifts. All of them stay valid and count until you choose the gifts that "
            "this refund was for."
        ) % {
            "amount": staff_money(refund.amount_minor, payment.currency),
            "day": f"{refund.refunded_at:%Y-%m-%d}",
        }
        url = pages.url_of(payment, ASSIGN.name, refund.pk)
        notices.append(
            (words, Link(gettext("Assign refund to gifts"), url) if may_assign else None)
        )
    return notices


def _refuse(payment: Payment) -> str:
    """Return why the payment cannot be refunded, or an empty string if it can."""
    try:
        actions.check_refundable(payment)
    except actions.RefundRefused as error:
        return str(error)
    return ""


def describe_payment(payment: Payment) -> str:
    """Return the amount and how much of it was refunded."""
    amount = staff_money(payment.amount_minor, payment.currency)
    if payment.status != Payment.Status.SUCCEEDED or payment.intent_id is None:
        return f"{amount}: {payment.get_status_display()}"
    left = actions.compute_refundable(payment)
    disputed = actions.compute_disputed(payment)
    if disputed >= payment.amount_minor:
        words = gettext("%(amount)s was paid. All of it is disputed or lost.")
        return words % {"amount": amount}
    if disputed:
        words = gettext(
            "%(amount)s was paid. %(disputed)s of it is disputed or lost. %(left)s can be refunded."
        )
        return words % {
            "amount": amount,
            "disputed": staff_money(disputed, payment.currency),
            "left": staff_money(left, payment.currency),
        }
    if left == payment.amount_minor:
        return gettext("%(amount)s was paid. Nothing was refunded.") % {"amount": amount}
    if not left:
        return gettext("%(amount)s was paid. All of it was refunded.") % {"amount": amount}
    return gettext("%(amount)s was paid. %(left)s of it can still be refunded.") % {
        "amount": amount,
        "left": staff_money(left, payment.currency),
    }


def _explain(payment: Payment) -> str:
    left = gettext("You can refund up to %(left)s. Stripe starts the refund at once.") % {
        "left": staff_money(actions.compute_refundable(payment), payment.currency)
    }
    if payment.role == Payment.Role.GIFT and payment.gifts.count() > 1:
        return f"{left} " + gettext(
            "A gift that you refund is revoked and stops counting. If it was claimed, you decide "
            "what happens to the membership."
        )
    if payment.role == Payment.Role.GIFT:
        return f"{left} " + gettext(
            "A full refund revokes the gift, and it stops counting. If it was claimed, you decide "
            "what happens to the membership. A partial refund doesn’t change the gift."
        )
    if payment.role == Payment.Role.CONTRIBUTION:
        return f"{left} " + gettext(
            "The refunded amount no longer counts towards a money goal. No membership changes."
        )
    if actions.can_end_membership(payment):
        return f"{left} " + gettext(
            "After a full refund, the payment stops counting. The subscription continues "
            "unless you end it, too."
        )
    return f"{left} " + gettext(
        "After a full refund, the payment stops counting and a one-off membership ends."
    )


def _refund_payment(payment: Payment, wanted: dict[str, Any], user: User) -> Done:
    try:
        order = actions.refund_payment(
            payment,
            amount_minor=wanted["amount_minor"],
            reason=RefundOrder.Reason(wanted["reason"]),
            why=wanted["why"],
            by=user,
            gifts=wanted["named"],
            newest_seen=wanted["seen"],
            ends_membership=wanted.get("ends_membership", False),
            message=wanted["message"],
        )
    except actions.OrderedMeanwhile as error:
        words = gettext(
            "%(who)s has just ordered a refund of %(amount)s. It is made once; nothing else was "
            "refunded. To order this refund as well, check how much is left and send the form "
            "again."
        )
        order, who = error.order, isolate(error.order.ordered_by)
        raise NotDone(words % {"amount": _amount_of(order), "who": who}) from error
    except actions.RefundRefused as error:
        raise NotDone(gettext("Nothing was refunded. %(reason)s") % {"reason": error}) from error
    tasks.hurry(*tasks.EFFECTS)
    return _describe_outcome(order, wanted["named"])


def _describe_outcome(order: RefundOrder, named: list[Gift]) -> Done:
    amount = _amount_of(order)
    entry = gettext("Refund of %(amount)s: %(why)s") % {"amount": amount, "why": isolate(order.why)}
    if order.refund_id is None and order.due_at is None:
        words = gettext("Stripe refused the refund, and nothing was refunded. Reason: %(reason)s")
        reason = actions.explain_refusal(order)
        return Done(words % {"reason": reason}, messages.ERROR, entry)
    if order.refund_id is None:
        words = gettext(
            "Stripe doesn’t answer. The refund of %(amount)s is saved, and we’ll try again "
            "automatically until it is made. Don’t order it a second time."
        )
        return Done(words % {"amount": amount}, messages.WARNING, entry)
    words = gettext("Payment refunded: %(amount)s.") % {"amount": amount}
    if not Refund.objects.filter(refund_id=order.refund_id).exists():
        late = gettext("It appears here within minutes, once Stripe reports it.")
        return Done(f"{words} {late}", messages.SUCCESS, entry)
    if order.ends_membership:
        if order.error:
            late = gettext("The membership wasn’t ended: %(reason)s") % {"reason": order.error}
            return Done(f"{words} {late}", messages.WARNING, entry)
        words = f"{words} " + gettext("Membership ended.")
    return Done(f"{words} {_describe_gifts(named)}".strip(), messages.SUCCESS, entry)


def _describe_gifts(named: list[Gift]) -> str:
    """Return what happened to the gifts that a refund was for."""
    now = Gift.objects.filter(pk__in=[gift.pk for gift in named])
    revoked = sum(gift.status == Gift.Status.REVOKED for gift in now)
    undecided = sum(gift.needs_decision for gift in now)
    sentences = []
    if revoked:
        words = ngettext("%(n)d gift was revoked.", "%(n)d gifts were revoked.", revoked)
        sentences.append(words % {"n": revoked})
    if undecided:
        words = ngettext(
            "%(n)d gift was already claimed: revoke it or keep it.",
            "%(n)d gifts were already claimed: revoke or keep each of them.",
            undecided,
        )
        sentences.append(words % {"n": undecided})
    return " ".join(sentences)


def _assign_refund(refund: Refund, named: list[Gift]) -> Done:
    try:
        actions.assign_refund_to_gifts(refund, named)
    except (stripe_api.StripeError, settlement.SettlementBusy):
        words = gettext(
            "Refund assigned. Stripe doesn’t answer, so the gifts will be updated within a day, "
            "or when you settle their Checkout again."
        )
        return Done(words, messages.WARNING)
    except ForbiddenMove as error:
        raise NotDone(gettext("Nothing was changed: this refund is already assigned.")) from error
    tasks.hurry(*tasks.EFFECTS)
    if not named:
        return Done(gettext("Refund assigned to none of the gifts. All of them stay valid."))
    words = ngettext(
        "Refund assigned to %(n)d gift.", "Refund assigned to %(n)d gifts.", len(named)
    ) % {"n": len(named)}
    return Done(f"{words} {_describe_gifts(named)}".strip())


REFUND = Page(
    name="refund",
    path="refund/",
    view=_show_refund_form,
    permissions=("campaigns.refund_payment",),
    label=_("Refund payment"),
    refuse=_refuse,
    refuses_posts=False,
)
ASSIGN = Page(
    name="assign_refund",
    path="refunds/<int:refund_id>/",
    view=_show_assignment,
    permissions=("campaigns.refund_payment",),
)
