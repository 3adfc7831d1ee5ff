"""Checkouts. Settling one again asks Stripe for its outcome."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import settlement, stripe_api, tasks
from campaigns.admin.downloads import Downloads
from campaigns.admin.labels import OriginWords, placement
from campaigns.admin.site import ViewOnlyAdmin, amount
from campaigns.errors import describe_failure
from campaigns.models import Checkout
from campaigns.models.moves import ForbiddenMove
from campaigns.reports.lists import list_sign_ups
from campaigns.reports.titles import name_row
from campaigns.spreadsheets import Cell

AT_ONCE = 25  # each makes several calls to Stripe while staff wait


@admin.register(Checkout)
class CheckoutAdmin(OriginWords, Downloads, ViewOnlyAdmin):
    list_display = ["created_at", "kind", amount, "status", "email", "campaign", placement]
    list_display_links = ["created_at", "kind"]
    list_filter = ["status", "kind", "campaign"]
    list_select_related = ["campaign"]
    dated_by = "created_at"
    sortable_by = ["created_at"]
    ordering = ["-created_at", "-pk"]
    search_fields = ["email", "name", "session_id", "customer_id", "subscription_id"]
    search_help_text = _("Name, e-mail address or Stripe ID")
    fieldsets = [
        (None, {"fields": [("kind", "status"), "price", ("campaign", "from_placement")]}),
        (_("Buyer"), {"fields": ["name", "email", "language", "member"]}),
        (
            _("Where it came from"),
            {
                "fields": [
                    *(("page_title", "page_url"), "referrer", ("device", "from_country")),
                    ("utm_source", "utm_medium", "utm_campaign", "utm_content", "friend"),
                ]
            },
        ),
        (_("Form data"), {"fields": ["typed"]}),
        (_("At Stripe"), {"fields": ["session_id", "subscription_id", "customer_id", "attempt"]}),
        (_("Times"), {"fields": ["created_at", "due_at"]}),
    ]
    readonly_fields = ["created_at", "due_at", "from_placement", "from_country"]
    actions = ["settle"]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_sign_ups(rows)

    @admin.action(description=_("Settle again (ask Stripe for the outcome)"), permissions=["work"])
    def settle(self, request: HttpRequest, checkouts: QuerySet[Checkout]) -> None:
        selected = list(checkouts.values_list("pk", "session_id", "subscription_id"))
        asked = [checkout_id for checkout_id, *stripe_ids in selected if any(stripe_ids)]
        settled = self._settle_each(request, asked[:AT_ONCE])
        if settled:
            tasks.hurry(*tasks.EFFECTS)
            words = ngettext(
                "%(count)d Checkout settled.",
                "%(count)d Checkouts settled.",
                settled,
            )
            self.message_user(request, words % {"count": settled}, messages.SUCCESS)
        if len(asked) > AT_ONCE:
            words = gettext(
                "Only the first %(count)d were settled. Settle the others in smaller batches."
            )
            self.message_user(request, words % {"count": AT_ONCE}, messages.WARNING)
        never_asked = len(selected) - len(asked)
        if never_asked:
            words = ngettext(
                "%(count)d Checkout has no session at Stripe, so there is nothing to settle.",
                "%(count)d Checkouts have no session at Stripe, so there is nothing to settle.",
                never_asked,
            )
            self.message_user(request, words % {"count": never_asked}, messages.INFO)

    def _settle_each(self, request: HttpRequest, checkout_ids: list[UUID]) -> int:
        """Settle them until Stripe stops answering; return how many were settled."""
        settled = 0
        for checkout_id in checkout_ids:
            try:
                settlement.settle_checkout(checkout_id)
            except stripe_api.StripeUnavailable:
                words = gettext(
                    "Stripe doesn’t answer. Nothing is lost. Try again in a few minutes."
                )
                self.message_user(request, words, messages.ERROR)
                break
            except (stripe_api.StripeError, ForbiddenMove) as error:
                words = gettext(
                    "%(purchase)s: not settled. Please report this error to your developers: "
                    "%(error)s (%(id)s)"
                )
                about = {
                    "purchase": _name(checkout_id),
                    "id": str(checkout_id),
                    "error": describe_failure(error),
                }
                self.message_user(request, words % about, messages.ERROR)
            except settlement.SettlementBusy:
                words = gettext("%(purchase)s: being settled right now.")
                about = {"purchase": _name(checkout_id)}
                self.message_user(request, words % about, messages.WARNING)
            else:
                settled += 1
        return settled


def _name(checkout_id: UUID) -> str:
    return name_row(Checkout.objects.get(pk=checkout_id))
