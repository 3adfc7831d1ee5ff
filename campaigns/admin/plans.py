"""Plans and their prices. A price that exists at Stripe keeps its amount."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import catalogue, stripe_api
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.numbers import NumbersInWords
from campaigns.admin.site import KnownLanguages, LabelledInlines, staff_money
from campaigns.forms.money import CurrencyField, MoneyField, MoneyListField
from campaigns.models import Checkout, Plan, PlanCopy, Price
from campaigns.reports.titles import name_row

MOST_SUGGESTED = 6


class PlanCopyInline(KnownLanguages):
    model = PlanCopy
    extra = 0
    min_num = 1
    verbose_name = _("translation")
    add_text = _("Add a translation")
    verbose_name_plural = _("texts")


class PriceForm(forms.ModelForm[Price]):
    """The form of a price. Once Stripe or a buyer has used it, only its sale can be ended."""

    LASTING = ("kind", "months", "currency", "amount_minor", "is_open")
    # Only of a price that is open.
    OPEN = ("suggested_minor", "minimum_minor", "maximum_minor", "shows_average")

    amount_minor = MoneyField(
        label=_("Amount"),
        is_charge=True,
        help_text=_("For example 60 or 60.50."),
        error_messages={"zero": _("The price must be above zero.")},
    )
    currency = CurrencyField(initial="eur")
    suggested_minor = MoneyListField(
        label=_("Other suggested amounts"),
        is_charge=True,
        required=False,
        help_text=_("One per line. Readers can also type another amount."),
    )
    minimum_minor = MoneyField(
        label=_("Smallest amount"),
        is_charge=True,
        required=False,
        help_text=_("Leave this empty for the smallest amount that Stripe charges."),
    )
    maximum_minor = MoneyField(
        label=_("Largest amount"),
        is_charge=True,
        required=False,
        help_text=_("Leave this empty for the largest amount that Stripe charges."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and (
            self.instance.stripe_price_id or Checkout.objects.filter(price=self.instance).exists()
        ):
            for name in self.LASTING:
                self.fields[name].disabled = True
            if not self.instance.is_open:
                self._hide("is_open", *self.OPEN)
        for field in self.fields.values():  # staff who may only view have none
            if isinstance(field, MoneyField):
                field.currency = self["currency"].value()
        if "is_open" in self.fields:
            self.fields["is_open"].help_text = _(
                "The amount above is then preselected, and readers can choose another one."
            )
            self.fields["shows_average"].help_text = _(
                "The join form then shows what members pay on average, once there are "
                "%(number)s of them."
            ) % {"number": catalogue.AVERAGE_FROM}

    def _hide(self, *names: str) -> None:
        """Leave out fields that can't be used any more."""
        for name in names:
            self.fields[name].widget = forms.HiddenInput()
            self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        endless = {Price.Kind.MONTH, Price.Kind.YEAR, Price.Kind.CONTRIBUTION}
        is_endless = cleaned.get("kind") in endless
        if "kind" in cleaned and "months" in cleaned and is_endless == bool(cleaned["months"]):
            self.add_error(
                "months",
                _("Leave this empty: a contribution gives no membership.")
                if cleaned["kind"] == Price.Kind.CONTRIBUTION
                else _("Leave this empty: a subscription renews until it is cancelled.")
                if is_endless
                else _("Enter the number of months, at least 1."),
            )
        if cleaned.get("is_open"):
            self._check_limits(cleaned)
        else:
            for name in self.OPEN:
                if cleaned.get(name):
                    words = _("Leave this empty, or let readers choose the amount.")
                    self.add_error(name, words)
        return cleaned

    def _check_limits(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("kind") == Price.Kind.GIFT:
            self.add_error("is_open", _("The price of a gift is fixed."))
        amount, least, most = (
            cleaned.get(name) for name in ("amount_minor", "minimum_minor", "maximum_minor")
        )
        if least and most and least > most:
            self.add_error("maximum_minor", _("This is less than the smallest amount."))
            return
        words = _("Each amount must be between the smallest and the largest amount.")
        for name, amounts in (
            ("amount_minor", [amount] if amount else []),
            ("suggested_minor", cleaned.get("suggested_minor") or []),
        ):
            if any((least and each < least) or (most and each > most) for each in amounts):
                self.add_error(name, words)
        if len(cleaned.get("suggested_minor") or []) > MOST_SUGGESTED:
            limit = _("Suggest at most %(number)s amounts.") % {"number": MOST_SUGGESTED}
            self.add_error("suggested_minor", limit)


class PriceInline(NumbersInWords):
    model = Price
    numbers = ("amount_minor", "suggested_minor", "minimum_minor", "maximum_minor")
    form = PriceForm
    add_text = _("Add a price")
    extra = 0
    can_delete = False
    fields = [
        ("kind", "months"),
        ("amount_minor", "currency"),
        "is_open",
        "suggested_minor",
        ("minimum_minor", "maximum_minor"),
        "shows_average",
        ("is_active", "at_stripe"),
    ]
    readonly_fields = ["at_stripe"]
    ordering = ["pk"]  # a row stays where it was typed

    @staticmethod
    def write_number(row: Price, number: int) -> str:
        return staff_money(number, row.currency)

    @admin.display(description=_("at Stripe"))
    def at_stripe(self, price: Price) -> str:
        if price.refused_at is not None:
            words = gettext("Stripe refuses this price, so it isn’t offered. Reason: %(reason)s")
            return words % {"reason": catalogue.explain_refusal(price, price.refusal)}
        return gettext("Yes") if price.stripe_price_id else gettext("Not yet")


@admin.register(Plan)
class PlanAdmin(LabelledInlines):
    add_label = _("Add plan")
    list_filter = [NeedsAttention]
    list_display = ["name", "on_sale", "gift_claimable_days", "position", "is_active"]
    fields = ["slug", ("position", "is_active"), "gift_claimable_days"]
    inlines = [PlanCopyInline, PriceInline]
    actions = ["send_to_stripe"]
    search_fields = ["slug", "copies__name"]
    search_help_text = _("Name or short name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).prefetch_related("copies", "prices")

    @admin.display(description=_("name"))
    def name(self, plan: Plan) -> str:
        return name_row(plan)

    @admin.display(description=_("prices on sale"))
    def on_sale(self, plan: Plan) -> str:
        return ", ".join(_describe(price) for price in plan.prices.all() if price.is_active)

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """Return False: memberships and sales depend on it. A plan is made inactive instead."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # After the commit, because no call to Stripe is made inside a transaction.
        transaction.on_commit(lambda: self._send_prices(request, [form.instance]))

    @admin.action(description=_("Send prices to Stripe"), permissions=["change"])
    def send_to_stripe(self, request: HttpRequest, plans: QuerySet[Plan]) -> None:
        if not self._send_prices(request, list(plans), all_prices=True):
            self.message_user(
                request, gettext("The chosen plans have no prices on sale."), messages.WARNING
            )

    def _send_prices(
        self, request: HttpRequest, plans: list[Plan], *, all_prices: bool = False
    ) -> int:
        """Send new and refused prices, or all, to Stripe and say so; return their number."""
        prices = Price.objects.filter(plan__in=plans, plan__is_active=True, is_active=True)
        if not all_prices:
            prices = prices.filter(Q(stripe_price_id="") | Q(refused_at__isnull=False))
        sent = 0
        for price in prices.select_related("plan").order_by("plan", "pk"):
            sent += 1
            shown = name_row(price)
            try:
                catalogue.send_plan(price.plan)
                catalogue.send_price(price)
            except stripe_api.StripeRefused as error:
                words = gettext("%(price)s: Stripe refused this price. Reason: %(reason)s")
                reason = catalogue.explain_refusal(price, error.reason)
                told = words % {"price": shown, "reason": reason}
                self.message_user(request, told, messages.ERROR)
            except stripe_api.StripeError:
                words = gettext(
                    "%(price)s: not sent, because Stripe doesn’t answer. The price is saved. Open "
                    "the plan and save it again in a few minutes to offer it to readers."
                )
                self.message_user(request, words % {"price": shown}, messages.ERROR)
                break  # the others would wait as long
            else:
                words = gettext("%(price)s: sent to Stripe. Readers can choose it now.")
                self.message_user(request, words % {"price": shown}, messages.SUCCESS)
        return sent


def _describe(price: Price) -> str:
    return f"{staff_money(price.amount_minor, price.currency)} {price.get_kind_display()}"
