"""Titles of rows for staff: "€60 from Ada, 3 Mar 2026" instead of a number.

Titles name people only to users who may view members. A list gets the names of its campaigns and
plans with one more query: see `with_names`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import get_language, get_language_bidi, gettext

from campaigns.dates import write_short_day, write_short_moment
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    ErasedAddress,
    Erasure,
    GhostMember,
    Gift,
    Member,
    Membership,
    OptOut,
    OutgoingMail,
    Payment,
    Plan,
    Price,
    PublishedNumber,
    Refund,
    RefundOrder,
    ReportMail,
    StripeEvent,
    StripeSale,
    Subscription,
    Tally,
    WallEntry,
    WebhookDelivery,
)
from campaigns.money import format_money
from campaigns.people import isolate_direction

# Writes the person that a function returns. Those who see no people aren't even looked up.
Who = Callable[[Callable[[], Any]], str]


def name_row(row: Model, *, sees_people: bool = True) -> str:
    """Return what staff call a row, without the people in it unless they may be seen."""
    who: Who = _write_person if sees_people else _hide_person
    describe = _TITLES.get(type(row))
    return describe(row, who) if describe else isolate(row)


def isolate(typed: object) -> str:
    """Return what a person typed, for a sentence: neither reorders the words of the other."""
    return isolate_direction(str(typed), rtl=get_language_bidi())


def name_for(request: HttpRequest, row: Model) -> str:
    """Return what a row is called on this user's pages."""
    return name_row(row, sees_people=request.user.has_perm("campaigns.view_member"))


def with_names(rows: QuerySet[Any], paths: Iterable[str]) -> QuerySet[Any]:
    """Read the names of the campaigns and plans that these related rows are, at once.

    An empty path stands for the rows themselves.
    """
    copies = [
        f"{path}__copies".removeprefix("__") for path in paths if _has_copies(rows.model, path)
    ]
    return rows.prefetch_related(*copies) if copies else rows


def _has_copies(model: Any, path: str) -> bool:
    for name in filter(None, path.split("__")):
        try:
            model = model._meta.get_field(name).related_model
        except FieldDoesNotExist:
            return False
    return model in {Campaign, Plan}


def _write_person(find: Callable[[], Member | str | None]) -> str:
    return isolate(find() or "")


def _hide_person(find: Callable[[], Member | str | None]) -> str:
    return ""


def _day(moment: datetime) -> str:
    return write_short_day(localtime(moment))


def write_money(minor: int, currency: str) -> str:
    """Return an amount in the notation of the current language."""
    return format_money(minor, currency, language=get_language() or settings.LANGUAGE_CODE)


def _from(what: str, who: str, day: str) -> str:
    words = gettext("%(what)s from %(who)s, %(day)s") if who else gettext("%(what)s, %(day)s")
    return words % {"what": what, "who": who, "day": day}


def _to(what: str, who: str, day: str) -> str:
    words = gettext("%(what)s to %(who)s, %(day)s") if who else gettext("%(what)s, %(day)s")
    return words % {"what": what, "who": who, "day": day}


def _name_texts(row: Campaign | Plan, who: Who) -> str:
    return isolate(row.copy_for(get_language() or "en").name)


def _name_member(member: Member, who: Who) -> str:
    return isolate(member)


def _name_price(price: Price, who: Who) -> str:
    return price.describe(name_row(price.plan))


def _name_payment(payment: Payment, who: Who) -> str:
    amount = write_money(payment.amount_minor, payment.currency)
    return _from(amount, who(lambda: payment.member), _day(payment.paid_at))


def _name_refund(row: Refund | RefundOrder, who: Who) -> str:
    amount = write_money(row.amount_minor, row.payment.currency)
    moment = row.refunded_at if isinstance(row, Refund) else row.ordered_at
    refund = gettext("Refund of %(amount)s") % {"amount": amount}
    return _to(refund, who(lambda: row.payment.member), _day(moment))


def _name_dispute(dispute: Dispute, who: Who) -> str:
    amount = write_money(dispute.amount_minor, dispute.payment.currency)
    words = gettext("Dispute over %(amount)s") % {"amount": amount}
    return _from(words, who(lambda: dispute.payment.member), _day(dispute.opened_at))


def _name_purchase(checkout: Checkout, who: Who) -> str:
    kind = capfirst(checkout.get_kind_display())
    what = f"{kind}, {write_money(checkout.amount_minor, checkout.currency)}"
    return _from(what, who(lambda: checkout.name or checkout.email), _day(checkout.created_at))


def _name_gift(gift: Gift, who: Who) -> str:
    code = gettext("Gift %(code)s") % {"code": f"{gift.code_hint}…"}
    return _from(code, who(lambda: gift.buyer), _day(gift.paid_at))


def _name_membership(membership: Membership, who: Who) -> str:
    source = capfirst(membership.get_source_display())
    person = who(lambda: membership.member)
    return f"{source}: {person}" if person else source


def _name_tally(tally: Tally, who: Who) -> str:
    counted = who(lambda: tally.member) if tally.gift is None else _name_gift(tally.gift, who)
    return ": ".join(filter(None, [name_row(tally.campaign), counted]))


def _name_published(row: PublishedNumber, who: Who) -> str:
    count, target = (
        write_money(number, row.currency)
        if row.currency
        else number_format(number, force_grouping=True)
        for number in (row.counted, row.target)
    )
    words = gettext("%(count)s of %(target)s, %(when)s")
    return words % {
        "count": count,
        "target": target,
        "when": write_short_moment(row.published_at),
    }


def find_addressee(mail: OutgoingMail) -> Any:
    """Return the person or the gift that an e-mail is about, or an address."""
    of = mail.payment or mail.membership or (mail.dispute and mail.dispute.payment)
    about = mail.gift or mail.member or (of and of.member)
    return about or (mail.checkout and mail.checkout.email) or ""


def _name_mail(mail: OutgoingMail, who: Who) -> str:
    kind = str(capfirst(mail.get_kind_display()))
    about = find_addressee(mail)
    if isinstance(about, Gift):
        return f"{kind}, {_name_gift(about, who)}"
    return _from_about(kind, who(lambda: about), _day(mail.created_at))


def _from_about(what: str, who: str, day: str) -> str:
    words = gettext("%(what)s: %(who)s, %(day)s") if who else gettext("%(what)s, %(day)s")
    return words % {"what": what, "who": who, "day": day}


def _name_erasure(erasure: Erasure, who: Who) -> str:
    return _from_about(gettext("Erasure"), who(lambda: erasure.member), _day(erasure.asked_at))


def _name_erased(row: ErasedAddress, who: Who) -> str:
    return _from_about(gettext("Erased address"), "", _day(row.erased_at))


def _name_opt_out(row: OptOut, who: Who) -> str:
    return _from_about(gettext("Opt-out of reminders"), "", _day(row.created_at))


def _name_event(event: StripeEvent, who: Who) -> str:
    return f"{event.type}, {write_short_moment(event.received_at)}"


def _name_sale(sale: StripeSale, who: Who) -> str:
    person = sale.email or (sale.checkout and sale.checkout.email) or ""
    return _from_about(name_row(sale.price), who(lambda: person), _day(sale.started_at))


def _name_subscription(row: Subscription, who: Who) -> str:
    return ": ".join(filter(None, [isolate(row.newsletter), who(lambda: row.email)]))


def _name_ghost_member(row: GhostMember, who: Who) -> str:
    person = who(lambda: row.member or row.email)
    return person or gettext("Member in Ghost")


def _name_wall_entry(entry: WallEntry, who: Who) -> str:
    """Return what the member chose to show there: those who decide about it may see it."""
    return ", ".join(map(isolate, filter(None, [entry.first_name, entry.town])))


def _name_delivery(delivery: WebhookDelivery, who: Who) -> str:
    words = gettext("%(event)s to %(endpoint)s, %(when)s")
    return words % {
        "event": delivery.event.type,
        "endpoint": isolate(delivery.endpoint),
        "when": write_short_moment(delivery.event.happened_at),
    }


def _name_report_mail(row: ReportMail, who: Who) -> str:
    return gettext("Reports by e-mail")


_TITLES: dict[type[Model], Callable[[Any, Who], str]] = {
    Campaign: _name_texts,
    Checkout: _name_purchase,
    Dispute: _name_dispute,
    ErasedAddress: _name_erased,
    Erasure: _name_erasure,
    GhostMember: _name_ghost_member,
    Gift: _name_gift,
    Member: _name_member,
    Membership: _name_membership,
    OptOut: _name_opt_out,
    OutgoingMail: _name_mail,
    Payment: _name_payment,
    Plan: _name_texts,
    Price: _name_price,
    PublishedNumber: _name_published,
    Refund: _name_refund,
    RefundOrder: _name_refund,
    ReportMail: _name_report_mail,
    StripeEvent: _name_event,
    StripeSale: _name_sale,
    Subscription: _name_subscription,
    Tally: _name_tally,
    WallEntry: _name_wall_entry,
    WebhookDelivery: _name_delivery,
}
