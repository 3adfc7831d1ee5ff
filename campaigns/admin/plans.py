"""Plans and their prices. A price that exists at Stripe keeps its amount."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.admin.site import staff_money
from campaigns.models import Checkout, Plan, PlanCopy, Price


class PlanCopyInline(admin.StackedInline[PlanCopy, Plan]):
    model = PlanCopy
    extra = 0
    min_num = 1
    verbose_name = _("translation")
    verbose_name_plural = _("texts")


class PriceForm(forms.ModelForm[Price]):
    """The form of a price. Once Stripe or a buyer has used it, only its sale can be ended."""

    LASTING = ("kind", "months", "currency", "amount_minor")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and (
            self.instance.stripe_price_id or Checkout.objects.filter(price=self.instance).exists()
        ):
            for name in self.LASTING:
                self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        renews = cleaned.get("kind") in {Price.Kind.MONTH, Price.Kind.YEAR}
        if "kind" in cleaned and "months" in cleaned and renews == bool(cleaned["months"]):
            self.add_error(
                "months",
                _("Leave this empty: a subscription renews until it is cancelled.")
                if renews
                else _("Enter the number of months, at least 1."),
            )
        return cleaned


class PriceInline(admin.StackedInline[Price, Plan]):
    model = Price
    form = PriceForm
    extra = 0
    can_delete = False
    fields = [
        ("kind", "months"),
        ("amount_minor", "currency", "reads_as"),
        ("is_active", "at_stripe"),
    ]
    readonly_fields = ["reads_as", "at_stripe"]

    @admin.display(description=_("shown as"))
    def reads_as(self, price: Price) -> str:
        if not price.amount_minor:
            return ""
        return f"{staff_money(price.amount_minor, price.currency)} {price.get_kind_display()}"

    @admin.display(description=_("at Stripe"), boolean=True)
    def at_stripe(self, price: Price) -> bool:
        return bool(price.stripe_price_id)


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin[Plan]):
    list_display = ["slug", "name", "on_sale", "gift_claimable_days", "position", "is_active"]
    fields = ["slug", ("position", "is_active"), "gift_claimable_days"]
    inlines = [PlanCopyInline, PriceInline]
    search_fields = ["slug", "copies__name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).prefetch_related("copies", "prices")

    @admin.display(description=_("name"))
    def name(self, plan: Plan) -> str:
        return plan.copy_for("en").name

    @admin.display(description=_("prices on sale"))
    def on_sale(self, plan: Plan) -> str:
        return ", ".join(
            f"{staff_money(price.amount_minor, price.currency)} {price.get_kind_display()}"
            for price in plan.prices.all()
            if price.is_active
        )

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """Never: memberships and sales depend on it. A plan is made inactive instead."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        missing = form.instance.prices.filter(stripe_price_id="", is_active=True).count()
        if missing:
            self.message_user(
                request,
                ngettext(
                    "%(count)d price isn’t at Stripe yet. Run “manage.py stripe_setup” to add it.",
                    "%(count)d prices aren’t at Stripe yet. Run “manage.py stripe_setup” to add "
                    "them.",
                    missing,
                )
                % {"count": missing},
                messages.WARNING,
            )
