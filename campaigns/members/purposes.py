"""The words that say what a payment was for, on the account page and on receipts."""

from django.utils.translation import gettext, ngettext

from campaigns.members.overview import PaymentRow
from campaigns.models import Payment, Plan, Price
from campaigns.money import format_money


def describe_purpose(row: PaymentRow, *, language: str) -> str:
    """Return what a payment was for, in a few words."""
    payment = row.payment
    plan = _plan_of(payment)
    name = plan.copy_for(language).name if plan else gettext("Membership")
    if payment.role == Payment.Role.GIFT:
        return ngettext(
            "%(number)s gift membership", "%(number)s gift memberships", row.gift_count or 1
        ) % {"number": row.gift_count or 1}
    if payment.role == Payment.Role.CONTRIBUTION:
        return gettext("Contribution without membership")
    if payment.role == Payment.Role.RENEWAL:
        return gettext("%(plan)s, renewal") % {"plan": name}
    if payment.role == Payment.Role.CHANGE:
        return gettext("%(plan)s, change of plan") % {"plan": name}
    return _describe_term(payment, name, language)


def _describe_term(payment: Payment, plan: str, language: str) -> str:
    """Return the plan and its price, in the words of the confirmation e-mail."""
    if payment.checkout is None:
        return plan
    price = payment.checkout.terms
    amount = format_money(price.amount_minor, price.currency, language=language)
    if price.kind == Price.Kind.MONTH:
        return gettext("%(plan)s, %(amount)s a month") % {"plan": plan, "amount": amount}
    if price.kind == Price.Kind.YEAR:
        return gettext("%(plan)s, %(amount)s a year") % {"plan": plan, "amount": amount}
    months = price.months or 0
    return ngettext("%(plan)s, %(months)s month", "%(plan)s, %(months)s months", months) % {
        "plan": plan,
        "months": months,
    }


def _plan_of(payment: Payment) -> Plan | None:
    if payment.membership and payment.membership.plan:
        return payment.membership.plan
    return payment.checkout.price.plan if payment.checkout else None
