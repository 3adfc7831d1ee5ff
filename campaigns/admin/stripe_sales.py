"""Subscriptions at our prices that were sold at Stripe, and their adoption."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, settlement, stripe_api, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.forms import NamedField, StaffForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import Campaign, StripeSale
from campaigns.reports.titles import isolate, name_row

AT_ONCE = 25  # each makes several calls to Stripe while staff wait
_NO_ANSWER = _("Stripe doesn’t answer. Nothing is lost. Try again in a few minutes.")


class AdoptForm(StaffForm):
    campaign = NamedField(
        Campaign.objects.order_by("-starts_at"),
        label=_("Campaign"),
        required=False,
        help_text=_(
            "The sale counts in this campaign by the same rule as a sale on our pages. "
            "Without a campaign, it isn’t counted."
        ),
    )


def _show_adoption(pages: ActionPages, request: HttpRequest, sale: StripeSale) -> HttpResponse:
    running = actions.find_running_campaign(sale.started_at)
    return pages.answer_form(
        request,
        sale,
        AdoptForm(request.POST or None, initial={"campaign": running}),
        do=lambda wanted, user: _adopt_into(sale, wanted["campaign"], user),
        title=gettext("Adopt subscription"),
        explanation=gettext(
            "This subscription becomes a membership here, with its payments, and follows Stripe "
            "from then on. The customer gets no e-mail about payments made before."
        ),
    )


def _adopt_into(sale: StripeSale, campaign: Campaign | None, user: User) -> Done:
    try:
        actions.adopt_stripe_sale_into(sale.pk, campaign, by=user)
    except actions.AdoptionRefused as refusal:
        raise NotDone(str(refusal.message)) from refusal
    except settlement.SettlementBusy:
        pass  # adopted; a job settles it
    except stripe_api.StripeError as error:
        raise NotDone(str(_NO_ANSWER)) from error
    tasks.hurry(*tasks.EFFECTS)
    return Done(gettext("Subscription adopted."))


def _refuse(sale: StripeSale) -> str:
    if sale.checkout_id is not None:
        return gettext("This subscription is already adopted.")
    return ""


ADOPT = Page(
    name="adopt",
    path="adopt/",
    view=_show_adoption,
    permissions=("campaigns.change_stripesale",),
    label=_("Adopt subscription"),
    refuse=_refuse,
)


@admin.register(StripeSale)
class StripeSaleAdmin(ActionPages, ViewOnlyAdmin):
    pages = (ADOPT,)
    list_note = _(
        "These people pay one of our prices, but their subscription was made at Stripe, for "
        "example in its dashboard. Adopt it to make them members here, or leave it out."
    )
    list_display = ["started_at", "email", "decision", "price", "status"]
    list_filter = [NeedsAttention, "status", "price"]
    list_select_related = ["price__plan", "checkout__member"]
    ordering = ["-started_at", "-pk"]
    search_fields = ["email", "subscription_id", "customer_id"]
    search_help_text = _("E-mail address or Stripe ID")
    fieldsets = [
        (None, {"fields": ["email", "price", ("status", "started_at")]}),
        (_("Adoption"), {"fields": ["decision", "checkout", "adopted_by"]}),
        (_("At Stripe"), {"fields": ["at_stripe", "subscription_id", "customer_id", "found_at"]}),
    ]
    readonly_fields = ["decision", "at_stripe"]
    actions = ["adopt", "leave_out"]

    @admin.display(description=_("decision"))
    def decision(self, sale: StripeSale) -> str:
        if sale.checkout is not None:
            return gettext("adopted: %(member)s") % {"member": isolate(sale.checkout.member or "…")}
        if sale.left_out_at is not None:
            return gettext("left out")
        return gettext("needs a decision") if sale.is_open else ""

    @admin.display(description=_("subscription"))
    def at_stripe(self, sale: StripeSale) -> SafeString:
        mode = "" if "_live_" in settings.STRIPE_SECRET_KEY else "test/"
        url = f"https://dashboard.stripe.com/{mode}subscriptions/{sale.subscription_id}"
        return format_html('<a href="{}" rel="noreferrer">{}</a>', url, gettext("Open at Stripe"))

    @admin.action(
        description=_("Adopt into the campaign that was running"),
        permissions=["work"],
    )
    def adopt(self, request: HttpRequest, sales: QuerySet[StripeSale]) -> None:
        assert isinstance(request.user, User)
        adopted = 0
        for sale in sales.order_by("started_at")[:AT_ONCE]:
            try:
                actions.adopt_stripe_sale(sale.pk, by=request.user)
            except actions.AdoptionRefused as refusal:
                self.message_user(request, f"{name_row(sale)}: {refusal.message}", messages.WARNING)
                continue
            except settlement.SettlementBusy:
                pass  # adopted; a job settles it
            except stripe_api.StripeError:
                self.message_user(request, str(_NO_ANSWER), messages.ERROR)
                break
            adopted += 1
            self.log_change(request, sale, gettext("Subscription adopted."))
        if adopted:
            tasks.hurry(*tasks.EFFECTS)
            words = ngettext(
                "%(count)d subscription adopted.", "%(count)d subscriptions adopted.", adopted
            )
            self.message_user(request, words % {"count": adopted}, messages.SUCCESS)
        if sales.count() > AT_ONCE:
            words = gettext("Only the first %(count)d were tried. Select the others again.")
            self.message_user(request, words % {"count": AT_ONCE}, messages.WARNING)

    @admin.action(description=_("Leave out"), permissions=["work"])
    def leave_out(self, request: HttpRequest, sales: QuerySet[StripeSale]) -> None:
        left_out = sum(actions.leave_out_stripe_sale(sale.pk) for sale in sales)
        words = ngettext(
            "%(count)d subscription left out.", "%(count)d subscriptions left out.", left_out
        )
        self.message_user(
            request, words % {"count": left_out}, messages.SUCCESS if left_out else messages.INFO
        )

    def describe_state(self, row: Any) -> str:
        if row.error:
            return gettext(row.error)  # jobs note the refusal in English
        if not row.is_open:
            return ""
        return gettext("This subscription isn’t a membership here until you adopt it.")
