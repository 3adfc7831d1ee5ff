"""The forms of a refund."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.admin.forms import GiftsField, ReaderMailForm, StaffForm, WhyForm
from campaigns.admin.site import staff_money
from campaigns.forms.money import MoneyField
from campaigns.models import Gift, Payment, RefundOrder
from campaigns.money import name_currency


class RefundForm(ReaderMailForm, WhyForm):
    """Asks for an amount, or for the gifts to refund if the payment bought several."""

    field_order = ["gifts", "amount", "reason", "why", "ends_membership"]

    gifts = GiftsField(
        label=_("Gifts to refund"), error_messages={"required": _("Choose at least one gift.")}
    )
    amount = MoneyField(label=_("Amount"))
    reason = forms.ChoiceField(
        label=_("Reason for Stripe"),
        choices=RefundOrder.Reason.choices,
        help_text=_("Sent to Stripe."),
    )
    ends_membership = forms.BooleanField(
        label=_("End the membership too"),
        required=False,
        help_text=_(
            "It ends as soon as the refund is made, and the member isn’t charged again. Without "
            "this, the subscription continues and the member pays again at the next renewal."
        ),
    )

    def __init__(
        self,
        *args: Any,
        payment: Payment,
        left_minor: int,
        gifts: QuerySet[Gift],
        can_end: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not can_end:
            del self.fields["ends_membership"]
        self.payment, self.left_minor, self.gifts_left = payment, left_minor, gifts
        if payment.gifts.count() > 1 and gifts.exists():
            del self.fields["amount"]
            self.fields["gifts"].queryset = gifts  # type: ignore[attr-defined]
        else:
            del self.fields["gifts"]
            self.fields["amount"].currency = payment.currency  # type: ignore[attr-defined]
            self.fields["amount"].help_text = name_currency(
                payment.currency, language=get_language() or "en"
            )
            self.initial.setdefault("amount", left_minor)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["named"] = list(cleaned.get("gifts") or [])
        field = "gifts" if "gifts" in self.fields else "amount"
        try:
            minor = self._amount(cleaned)
        except forms.ValidationError as error:
            self.add_error(field, error)
            return cleaned
        if minor is not None:
            cleaned["amount_minor"] = minor
        return cleaned

    def _amount(self, cleaned: dict[str, Any]) -> int | None:
        """Return the amount in minor units, or None if the fields have errors anyway."""
        if "amount" in self.fields:
            minor: int | None = cleaned.get("amount")
        else:
            minor = sum(gift.share_minor for gift in cleaned["named"]) or None
            if len(cleaned["named"]) == len(self.gifts_left):
                minor = min(minor or 0, self.left_minor)  # all that is left, and no more
        if minor is not None and minor > self.left_minor > 0:
            left = staff_money(self.left_minor, self.payment.currency)
            raise forms.ValidationError(_("Only %(left)s can be refunded."), params={"left": left})
        return minor


class RefundedGiftsForm(StaffForm):
    """Asks for the gifts that a refund was for."""

    gifts = GiftsField(label=_("Gifts in this payment"), required=False)

    def __init__(self, *args: Any, gifts: QuerySet[Gift], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["gifts"].queryset = gifts  # type: ignore[attr-defined]
