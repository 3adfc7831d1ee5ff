"""Money that staff give back, and what a refund from Stripe's own dashboard meant."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, settlement, stripe_api, tasks
from campaigns.actions import refunds
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.forms import Done, Link, NotDone, Panel, answer_form, page_of
from campaigns.admin.refund_forms import MeantGiftsForm, RefundForm
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline, staff_money
from campaigns.models import Gift, Payment, Refund, RefundOrder
from campaigns.models.moves import ForbiddenMove
from campaigns.reports.attention import needs_assignment

PERMISSION = "campaigns.add_refundorder"


class OrderColumns:
    """What both places in which orders are listed show of one."""

    @admin.display(description=_("amount"))
    def money(self, order: RefundOrder) -> str:
        return _amount_of(order)

    @admin.display(description=_("outcome"))
    def outcome(self, order: RefundOrder) -> str:
        """What Stripe answered, in words."""
        if order.refund_id:
            return gettext("Given back.")
        if order.next_attempt_at is None:
            reason = actions.explain_refusal(order)
            return gettext("Stripe refused: %(reason)s") % {"reason": reason}
        if order.error:
            return gettext("Stripe did not answer; it is tried again by itself.")
        return gettext("Stripe is being asked.")


def _amount_of(order: RefundOrder) -> str:
    return staff_money(order.amount_minor, order.payment.currency)


class RefundOrderInline(OrderColumns, ViewOnlyInline):
    model = RefundOrder
    fields = ["ordered_at", "money", "reason", "why", "ordered_by", "outcome"]
    readonly_fields = ["money", "outcome"]
    ordering = ["-ordered_at", "-pk"]
    verbose_name_plural = _("refunds ordered here")


@admin.register(RefundOrder)
class RefundOrderAdmin(OrderColumns, ViewOnlyAdmin):
    list_display = ["ordered_at", "money", "reason", "why", "ordered_by", "outcome"]
    list_display_links = ["ordered_at"]
    list_filter = [NeedsAttention, "reason", ("refund_id", admin.EmptyFieldListFilter)]
    list_select_related = ["payment", "ordered_by"]
    date_hierarchy = "ordered_at"
    ordering = ["-ordered_at", "-pk"]
    search_fields = [
        "refund_id",
        "payment__intent_id",
        "payment__member__email",
        "payment__member__name",
        "why",
    ]
    search_help_text = _("A name or an address, an id of Stripe's, or a word of why.")
    fieldsets = [
        (None, {"fields": ["payment", "money", "gifts"]}),
        (_("Why"), {"fields": ["reason", "why", ("ordered_by", "ordered_at")]}),
        (_("At Stripe"), {"fields": ["outcome", "refund_id", ("error", "next_attempt_at")]}),
    ]
    readonly_fields = ["money", "outcome"]


class RefundPages(ViewOnlyAdmin):
    """Two addresses more below each payment's own, and what waits for them."""

    change_form_template = "campaigns/staff/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        here = self.admin_site.admin_view
        return [
            path(
                "<int:payment_id>/give-back/",
                here(self.give_back),
                name="campaigns_payment_refund",
            ),
            path(
                "<int:payment_id>/refunds/<int:refund_id>/",
                here(self.assign_refund),
                name="campaigns_payment_name_gifts",
            ),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        payment = self.get_object(request, object_id) if object_id else None
        panel = {"panel": self._panel(request, payment)} if payment is not None else {}
        return super().changeform_view(request, object_id, form_url, panel | (extra_context or {}))

    def _panel(self, request: HttpRequest, payment: Payment) -> Panel:
        may = request.user.has_perm(PERMISSION)
        notices: list[tuple[str, Link | None]] = []
        for refund in unassigned_refunds(payment):
            words = gettext(
                "%(amount)s was given back at Stripe on %(day)s, and this payment bought several "
                "gifts. Until somebody says which of them were meant, all of them stand and count."
            ) % {
                "amount": staff_money(refund.amount_minor, payment.currency),
                "day": f"{refund.refunded_at:%Y-%m-%d}",
            }
            url = reverse("admin:campaigns_payment_name_gifts", args=[payment.pk, refund.pk])
            notices.append((words, Link(gettext("Which gifts did it mean?"), url) if may else None))
        links = []
        if may and not _refuse(payment):
            url = reverse("admin:campaigns_payment_refund", args=[payment.pk])
            links.append(Link(gettext("Give back"), url))
        return Panel(state=_describe_state(payment), notices=notices, links=links)

    def _find(self, request: HttpRequest, payment_id: int) -> Payment:
        payment: Payment | None = self.get_object(request, str(payment_id))
        if payment is None:
            raise Http404
        if not self.has_view_permission(request, payment) or not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        return payment

    def give_back(self, request: HttpRequest, payment_id: int) -> HttpResponse:
        payment = self._find(request, payment_id)
        # On a second click there may be nothing left: then the form says what became of the first.
        if request.method != "POST" and (refusal := _refuse(payment)):
            self.message_user(request, refusal, messages.WARNING)
            return HttpResponseRedirect(page_of(payment))
        form = RefundForm(
            request.POST or None,
            initial={"seen": _newest(payment)},
            payment=payment,
            left_minor=actions.refundable_minor(payment),
            gifts=gifts_left(payment),
        )
        return answer_form(
            self,
            request,
            payment,
            form,
            do=lambda wanted, user: _refund_payment(payment, wanted, user),
            title=gettext("Give back"),
            explanation=_explain(payment),
            newest=lambda: _newest(payment),
        )

    def assign_refund(self, request: HttpRequest, payment_id: int, refund_id: int) -> HttpResponse:
        payment = self._find(request, payment_id)
        refund = payment.refunds.filter(pk=refund_id).first()
        if refund is None:
            raise Http404
        if refund.pk not in {waiting.pk for waiting in unassigned_refunds(payment)}:
            words = gettext("Nothing was changed: it is known which gifts this refund meant.")
            self.message_user(request, words, messages.WARNING)
            return HttpResponseRedirect(page_of(payment))
        return answer_form(
            self,
            request,
            payment,
            MeantGiftsForm(request.POST or None, gifts=gifts_left(payment)),
            do=lambda wanted, user: _name_gifts(refund, list(wanted["gifts"])),
            title=gettext("Which gifts did it mean?"),
            button=gettext("Note what it meant"),
            explanation=gettext(
                "%(amount)s was given back at Stripe. A gift that was meant is revoked and stops "
                "counting; one that was claimed waits for your word on the membership. If none was "
                "meant (a discount, say), tick none: all of them stand."
            )
            % {"amount": staff_money(refund.amount_minor, payment.currency)},
        )


def unassigned_refunds(payment: Payment) -> list[Refund]:
    """Those of which staff have yet to say which gifts they meant."""
    if not needs_assignment(payment):
        return []
    unnamed = payment.refunds.filter(status=Refund.Status.SUCCEEDED, gifts_named_at__isnull=True)
    return list(unnamed.order_by("refunded_at", "pk"))


def gifts_left(payment: Payment) -> QuerySet[Gift]:
    """The gifts of a payment that no refund means, neither made nor ordered."""
    gone = (Refund.Status.FAILED, Refund.Status.CANCELED)
    returned = Refund.objects.exclude(status__in=gone).filter(payment=payment)
    ordered = payment.refund_orders.filter(
        Q(next_attempt_at__isnull=False) | Q(refund_id__in=returned.values("refund_id"))
    )
    return (
        payment.gifts.exclude(refunds__in=returned)
        .exclude(refund_orders__in=ordered)
        .select_related("checkout", "claimed_by")
        .order_by("position")
    )


def _newest(payment: Payment) -> int:
    return payment.refund_orders.aggregate(newest=Max("pk"))["newest"] or 0


def _refuse(payment: Payment) -> str:
    """Why nothing can be given back here; nothing if it can."""
    if payment.intent_id is None:
        return gettext("It did not come by Stripe, so it is not given back by Stripe.")
    if payment.status != Payment.Status.SUCCEEDED:
        return gettext("Only a payment that succeeded is given back.")
    if not actions.refundable_minor(payment):
        return gettext("All of this payment is given back already, or on its way.")
    if unassigned_refunds(payment):
        return gettext("First say which gifts the refund made at Stripe meant.")
    return ""


def _describe_state(payment: Payment) -> str:
    amount = staff_money(payment.amount_minor, payment.currency)
    if payment.status != Payment.Status.SUCCEEDED or payment.intent_id is None:
        return f"{amount}: {payment.get_status_display()}"
    left = actions.refundable_minor(payment)
    if left == payment.amount_minor:
        return gettext("%(amount)s was paid, and nothing of it given back.") % {"amount": amount}
    return gettext("%(amount)s was paid; %(left)s of it is not given back.") % {
        "amount": amount,
        "left": staff_money(left, payment.currency),
    }


def _explain(payment: Payment) -> str:
    left = gettext("%(left)s is left of this payment. Stripe gives it back at once.") % {
        "left": staff_money(actions.refundable_minor(payment), payment.currency)
    }
    if payment.role == Payment.Role.GIFT and payment.gifts.count() > 1:
        return f"{left} " + gettext(
            "A gift whose share is given back is revoked and stops counting; one that was claimed "
            "waits for your word on the membership."
        )
    if payment.role == Payment.Role.GIFT:
        return f"{left} " + gettext(
            "Given back in full, the gift is revoked and stops counting; if it was claimed, it "
            "waits for your word on the membership. A part of it leaves the gift as it is."
        )
    return f"{left} " + gettext(
        "Given back in full, a payment stops counting, and a membership that was paid once ends. "
        "A subscription goes on: it is cancelled at Stripe."
    )


def _refund_payment(payment: Payment, wanted: dict[str, Any], user: User) -> Done:
    """Written down under the payment's lock, then asked of Stripe outside of it."""
    with transaction.atomic():
        locked = Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.pk)
        last = locked.refund_orders.order_by("-pk").first()
        if last is not None and last.pk != wanted["seen"]:
            words = gettext(
                "Meanwhile a refund of %(amount)s was ordered by %(who)s: it is made once. Nothing "
                "more was given back. If you want this one as well, look again at what is left, "
                "and send it once more."
            )
            raise NotDone(words % {"amount": _amount_of(last), "who": last.ordered_by})
        if refusal := _refuse(locked):
            raise NotDone(refusal)
        try:
            order = refunds.order_refund(
                locked,
                amount_minor=wanted["amount_minor"],
                reason=RefundOrder.Reason(wanted["reason"]),
                why=wanted["why"],
                by=user,
                gifts=wanted["named"],
            )
        except actions.RefundRefused as error:
            raise NotDone(
                gettext("Nothing was given back: %(reason)s.") % {"reason": error}
            ) from error
    order = actions.execute_refund_order(order.pk)
    tasks.run_soon(tasks.do_what_followed)
    return _describe_outcome(order, wanted["named"])


def _describe_outcome(order: RefundOrder, named: list[Gift]) -> Done:
    amount = _amount_of(order)
    entry = gettext("Give back %(amount)s: %(why)s") % {"amount": amount, "why": order.why}
    if order.refund_id is None and order.next_attempt_at is None:
        words = gettext("Stripe refused, and nothing was given back. Its reason: %(reason)s")
        reason = actions.explain_refusal(order)
        return Done(words % {"reason": reason}, messages.ERROR, entry)
    if order.refund_id is None:
        words = gettext(
            "Stripe does not answer. The refund of %(amount)s is written down and will be tried "
            "again by itself; it is made once. Do not order it a second time."
        )
        return Done(words % {"amount": amount}, messages.WARNING, entry)
    words = gettext("%(amount)s was given back.") % {"amount": amount}
    if not Refund.objects.filter(refund_id=order.refund_id).exists():
        late = gettext("Our own rows follow within minutes, once Stripe tells of it.")
        return Done(f"{words} {late}", messages.SUCCESS, entry)
    return Done(f"{words} {_describe_gifts(named)}".strip(), messages.SUCCESS, entry)


def _describe_gifts(named: list[Gift]) -> str:
    """What became of gifts that a refund meant."""
    now = Gift.objects.filter(pk__in=[gift.pk for gift in named])
    revoked = sum(gift.status == Gift.Status.REVOKED for gift in now)
    waiting = sum(gift.needs_decision for gift in now)
    told = []
    if revoked:
        words = ngettext("%(n)d gift is revoked.", "%(n)d gifts are revoked.", revoked)
        told.append(words % {"n": revoked})
    if waiting:
        words = ngettext(
            "%(n)d gift was claimed before: revoke it or keep it.",
            "%(n)d gifts were claimed before: revoke or keep them.",
            waiting,
        )
        told.append(words % {"n": waiting})
    return " ".join(told)


def _name_gifts(refund: Refund, named: list[Gift]) -> Done:
    try:
        actions.assign_refund_to_gifts(refund, named)
    except (stripe_api.StripeError, settlement.SettlementBusy):
        words = gettext(
            "It is written down which gifts were meant. Stripe does not answer, so that they "
            "follow within a day, or when their Checkout is settled again."
        )
        return Done(words, messages.WARNING)
    except ForbiddenMove as error:
        raise NotDone(gettext("Nothing was changed: %(reason)s.") % {"reason": error}) from error
    tasks.run_soon(tasks.do_what_followed)
    if not named:
        return Done(gettext("The refund meant none of the gifts: all of them stand."))
    words = ngettext(
        "The refund meant %(n)d gift.", "The refund meant %(n)d gifts.", len(named)
    ) % {"n": len(named)}
    return Done(f"{words} {_describe_gifts(named)}".strip())
