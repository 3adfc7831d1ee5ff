"""What readers set out to buy. Settling one again asks Stripe how it ended."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import settlement, stripe_api, tasks
from campaigns.admin.site import ViewOnlyAdmin, amount
from campaigns.models import Checkout

AT_ONCE = 25  # each asks Stripe several times, while staff wait


@admin.register(Checkout)
class CheckoutAdmin(ViewOnlyAdmin):
    list_display = ["created_at", "kind", amount, "status", "email", "campaign", "placement"]
    list_display_links = ["created_at", "kind"]
    list_filter = ["status", "kind", "placement", "campaign"]
    list_select_related = ["campaign"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    search_fields = ["email", "name", "session_id", "customer_id"]
    search_help_text = _("A name or an address, or an id of Stripe's.")
    fieldsets = [
        (None, {"fields": [("kind", "status"), "price", ("campaign", "placement")]}),
        (_("Who"), {"fields": ["name", "email", "language", "member"]}),
        (_("What was typed"), {"fields": ["typed"]}),
        (_("At Stripe"), {"fields": ["session_id", "customer_id", "attempt"]}),
        (_("When"), {"fields": ["created_at", "look_at"]}),
    ]
    readonly_fields = ["created_at", "look_at"]
    actions = ["settle"]

    @admin.action(description=_("Settle again: ask Stripe how they ended"), permissions=["work"])
    def settle(self, request: HttpRequest, checkouts: QuerySet[Checkout]) -> None:
        with_session = checkouts.filter(session_id__isnull=False)
        never_asked = checkouts.count() - with_session.count()
        settled = 0
        for checkout_id in list(with_session.values_list("pk", flat=True)[:AT_ONCE]):
            try:
                settlement.settle_checkout(checkout_id)
            except stripe_api.StripeUnavailable:
                self.message_user(
                    request,
                    gettext("Stripe does not answer. Nothing is lost: try again in a few minutes."),
                    messages.ERROR,
                )
                break
            except (stripe_api.StripeError, settlement.SettlementBusy) as error:
                self.message_user(
                    request,
                    gettext("Checkout %(id)s was not settled: %(error)s")
                    % {"id": checkout_id, "error": error},
                    messages.ERROR,
                )
            else:
                settled += 1
        if settled:
            tasks.hurry(tasks.do_what_followed)
            self._tell(
                request,
                ngettext(
                    "%(count)d Checkout stands as Stripe has it now.",
                    "%(count)d Checkouts stand as Stripe has them now.",
                    settled,
                ),
                settled,
            )
        if never_asked:
            self._tell(
                request,
                ngettext(
                    "%(count)d has no session at Stripe, so there is nothing to ask.",
                    "%(count)d have no session at Stripe, so there is nothing to ask.",
                    never_asked,
                ),
                never_asked,
            )
        if with_session.count() > AT_ONCE:
            self._tell(request, gettext("At most %(count)d are settled at once."), AT_ONCE)

    def _tell(self, request: HttpRequest, words: str, count: int) -> None:
        self.message_user(request, words % {"count": count}, messages.INFO)
