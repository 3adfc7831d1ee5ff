"""Adopt subscriptions at our prices that were sold at Stripe: they become memberships here."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns import settlement, stripe_api
from campaigns.models import Campaign, Checkout, Price, StripeSale

_SETTLED_BY = timedelta(minutes=1)


class AdoptionRefused(Exception):
    """The subscription can't be adopted; the message says why, in a full sentence."""

    def __init__(self, message: Promise | str) -> None:
        super().__init__(message)
        self.message = message


def adopt_stripe_sale(sale_id: int, *, by: User | None = None) -> Checkout:
    """Make the person and the membership of a subscription that was sold at Stripe.

    It belongs to the campaign that was running when it was first paid, the one with the highest
    priority. It counts by the same rule as every other sale. Nobody gets an e-mail about payments
    before the adoption. Raises AdoptionRefused and the errors of stripe_api; if only the last step
    fails, a job repeats it.
    """
    return _adopt(sale_id, find_campaign=find_running_campaign, by=by)


def adopt_stripe_sale_into(sale_id: int, campaign: Campaign | None, *, by: User) -> Checkout:
    """Adopt a subscription into the campaign that staff chose; with None it never counts."""
    return _adopt(sale_id, find_campaign=lambda paid_at: campaign, by=by)


def find_running_campaign(moment: datetime) -> Campaign | None:
    """Return the campaign that gets a sale of that moment."""
    return Campaign.objects.running(at=moment).first()


def _adopt(
    sale_id: int, *, find_campaign: Callable[[datetime], Campaign | None], by: User | None
) -> Checkout:
    sale = StripeSale.objects.get(pk=sale_id)
    subscription = stripe_api.fetch_subscription(sale.subscription_id)
    price = _check_adoptable(subscription)
    paid_at = _find_first_payment(stripe_api.list_invoices(subscription.id))
    campaign = find_campaign(paid_at or subscription.started_at)
    with transaction.atomic():
        locked = StripeSale.objects.select_for_update(of=("self",), no_key=True).get(pk=sale.pk)
        if locked.checkout_id is not None:
            raise AdoptionRefused(_("This subscription is already adopted."))
        checkout = Checkout.objects.create(
            kind=Checkout.Kind.JOIN,
            campaign=campaign,
            price=price,
            amount_minor=price.amount_minor,
            currency=price.currency,
            email=subscription.customer.email,
            name=subscription.customer.name[:120],
            language=_choose_language(subscription.customer),
            subscription_id=subscription.id,
            customer_id=subscription.customer_id,
            opened_at=subscription.started_at,
            due_at=timezone.now() + _SETTLED_BY,
        )
        locked.checkout, locked.adopted_by, locked.email = checkout, by, ""
        locked.left_out_at = locked.due_at = None
        locked.error = ""
        locked.save()
    return settlement.settle_checkout(checkout.pk)


def _check_adoptable(subscription: stripe_api.Subscription) -> Price:
    price = settlement.find_own_price(subscription.price_ids)
    if price is None:
        raise AdoptionRefused(_("The subscription no longer has one of our prices."))
    if subscription.status not in StripeSale.ADOPTABLE:
        raise AdoptionRefused(_("The subscription has ended, or its first payment is missing."))
    if not subscription.customer.email:
        raise AdoptionRefused(
            _("The customer has no e-mail address at Stripe. Add it there, then try again.")
        )
    return price


def _find_first_payment(invoices: list[stripe_api.Invoice]) -> datetime | None:
    """Return when the first invoice above zero was paid."""
    paid = [invoice.paid_at for invoice in invoices if invoice.paid_at and invoice.total_minor > 0]
    return min(paid, default=None)


def _choose_language(customer: stripe_api.Customer) -> str:
    """Return the first of the customer's languages that we have."""
    known = [code for code, _name in settings.LANGUAGES]
    wanted = [language.partition("-")[0].lower() for language in customer.languages]
    return next((language for language in wanted if language in known), settings.LANGUAGE_CODE)


def leave_out_stripe_sale(sale_id: int) -> bool:
    """Leave a subscription out: it needs no attention any more, and can still be adopted."""
    found = StripeSale.objects.filter(pk=sale_id, checkout=None, left_out_at=None)
    return bool(found.update(left_out_at=timezone.now(), due_at=None, error=""))


def adopt_due_sale(sale_id: int) -> None:
    """Adopt a subscription that is due. A refusal is kept for staff, other errors are repeated."""
    try:
        adopt_stripe_sale(sale_id)
    except AdoptionRefused as refusal:
        StripeSale.objects.filter(pk=sale_id, checkout=None).update(
            due_at=None, error=str(refusal.message)[:200]
        )
