"""Rows that owe a message, and what went out, read as its reader does."""

import re
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import EmailMessage

from campaigns import emails, erasures
from campaigns.emails import links
from campaigns.memberships import add_months
from campaigns.models import (
    AddressChange,
    Campaign,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    SignInLink,
)
from tests.support.factories import (
    at,
    claim,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_price,
)

PAID_AT = "2026-11-10 12:00"
_number = count(1)


def buy_membership(campaign: Campaign | None, kind: str = "year", **changes: Any) -> Payment:
    """Ada's payment, with the membership that it began and the Checkout behind it."""
    ada = make_member("ada@example.org")
    ada.name = "Ada Reader"
    ada.save()
    price = make_price(kind)
    checkout = make_checkout(
        campaign, price=price, member=ada, status="paid", customer_id=f"cus_{next(_number)}"
    )
    paid_at = at(PAID_AT)
    membership = Membership.objects.create(
        member=ada,
        plan=price.plan,
        checkout=checkout,
        source=Membership.Source.SUBSCRIPTION if price.is_subscription else Membership.Source.ONCE,
        started_at=paid_at,
        ends_at=add_months(paid_at, 1 if kind == "month" else 12),
        subscription_id=f"sub_{next(_number)}" if price.is_subscription else None,
    )
    values: dict[str, Any] = {
        "amount_minor": price.amount_minor,
        "method": "card",
        "brand": "visa",
        "receipt_number": "2045-1187",
        "receipt_url": "https://pay.stripe.com/receipts/acct_1/ch_1",
    }
    return make_payment(
        ada, campaign, PAID_AT, membership=membership, checkout=checkout, **values | changes
    )


def give(campaign: Campaign | None, **changes: Any) -> Gift:
    return make_gift(make_member("ada@example.org"), campaign, PAID_AT, **changes)


def owe(kind: str, *, language: str = "en", **about: Any) -> OutgoingMail:
    if kind == "gift_bought":  # of a whole purchase
        about = {"checkout": about["gift"].checkout}
    about.setdefault("key", f"{kind}:{next(_number)}")
    return OutgoingMail.objects.create(kind=kind, language=language, **about)


def owe_of_dispute(
    campaign: Campaign | None, *, status: str = "needs_response", language: str = "en"
) -> OutgoingMail:
    """To the staff, of Ada's yearly payment that her bank takes back."""
    dispute = make_dispute(buy_membership(campaign), "2026-11-20 09:00", status=status)
    dispute.reason, dispute.evidence_due_at = "product_not_received", at("2026-11-29 21:59")
    dispute.save()
    key = f"dispute:{dispute.dispute_id}:{status}"
    return owe("dispute", key=key, language=language, dispute=dispute, payment=dispute.payment)


def owe_of_failure(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """To Ada, of the payment for her second year."""
    first = buy_membership(campaign)
    membership, number = first.membership, next(_number)
    assert membership is not None
    Membership.objects.filter(pk=membership.pk).update(status=Membership.Status.PAST_DUE)
    make_payment(
        first.member,
        campaign,
        "2027-11-10 13:00",
        role=Payment.Role.RENEWAL,
        status=Payment.Status.FAILED,
        membership=membership,
        checkout=first.checkout,
        invoice_id=f"in_{number}",
    )
    return owe("past_due", key=f"past_due:in_{number}", language=language, membership=membership)


def owe_of_lapse(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """To Ada, whose second year was not paid within two weeks."""
    membership = buy_membership(campaign).membership
    assert membership is not None
    Membership.objects.filter(pk=membership.pk).update(
        status=Membership.Status.LAPSED, access_until=at("2027-11-24 12:00")
    )
    return owe("lapsed", language=language, membership=membership)


def owe_of_link(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """To Ada, who asked for a link to her own page just now."""
    link = SignInLink(member=make_member("ada@example.org"))
    link.secret_hash = links.hash_sign_in_token(links.make_sign_in_token(link))
    link.save()
    return owe("sign_in", language=language, member=link.member, sign_in=link)


def owe_of_change(campaign: Campaign | None, *, kind: str, language: str = "en") -> OutgoingMail:
    """To Ada, who wants to be known by another address; the last once it is."""
    ada = make_member("ada@example.org")
    change = AddressChange.objects.create(member=ada, email="ada@new.example")
    if kind == "address_changed":
        Member.objects.filter(pk=ada.pk).update(email=change.email)
        AddressChange.objects.update(made_at=change.asked_at)
    return owe(kind, language=language, member=ada, address_change=change)


def owe_of_erasure(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """To Ada, who asked to be forgotten."""
    ada = make_member("ada@example.org")
    erasures.request_erasure(ada, language=language)
    return OutgoingMail.objects.get(kind="erasure", member=ada)


def extend(base: Membership, campaign: Campaign) -> Membership:
    """Three months as a gift to somebody who is a member already."""
    gift = claim(give(campaign, months=3), base.member, "2026-11-12 09:00")
    assert gift.membership is not None
    Membership.objects.filter(pk=gift.membership.pk).update(
        extends=base, ends_at=at("2028-02-10 12:00")
    )
    return Membership.objects.get(pk=gift.membership.pk)


def give_several(campaign: Campaign | None, *changes: dict[str, Any]) -> list[Gift]:
    """One purchase of several gifts."""
    first = give(campaign, **changes[0])
    shared = {"checkout": first.checkout, "payment": first.payment}
    others = [
        give(campaign, **shared, position=position, **of_this)
        for position, of_this in enumerate(changes[1:], start=1)
    ]
    return [first, *others]


# What a gift is like when a message of that kind is owed.
_STATES: dict[str, dict[str, Any]] = {
    "gift_to_pass_on": {"recipient_email": "", "deliver_at": at("2026-12-24 06:00")},
    "gift_delivered": {"status": "delivered", "delivered_at": at(PAID_AT)},
    "gift_bounced": {"bounced_at": at(PAID_AT)},
    "gift_bounced_staff": {"bounced_at": at(PAID_AT)},
}
_OWED: dict[str, Callable[..., OutgoingMail]] = {
    "dispute": owe_of_dispute,
    "erasure": owe_of_erasure,
    "lapsed": owe_of_lapse,
    "past_due": owe_of_failure,
    "sign_in": owe_of_link,
    **{
        kind: partial(owe_of_change, kind=kind)
        for kind in ("address_old", "address_new", "address_changed")
    },
}


def owe_one_of(kind: str, campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    if kind in {"receipt", "welcome"}:
        payment = buy_membership(campaign)
        about = {"payment": payment} if kind == "receipt" else {"membership": payment.membership}
        return owe(kind, language=language, **about)
    if kind in _OWED:
        return _OWED[kind](campaign, language=language)
    gift = give(campaign, message="For your birthday.\nRead well.", **_STATES.get(kind, {}))
    if kind in {"gift_claimed", "gift_ending"}:
        claim(gift, make_member("cleo@example.org"), "2026-11-12 09:00")
    if kind == "gift_confirm":
        return owe(kind, language=language, gift=gift, member=make_member("cleo@example.org"))
    return owe(kind, language=language, gift=gift)


# What went out


def deliver(owed: OutgoingMail) -> EmailMultiAlternatives:
    assert emails.deliver_mail(owed.pk)
    owed.refresh_from_db()
    assert (owed.next_attempt_at, owed.error, owed.attempts) == (None, "", 1)
    assert owed.sent_at is not None
    sent = mailbox.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def text_of(sent: EmailMessage) -> str:
    return str(sent.body)


def html_of(sent: EmailMultiAlternatives) -> str:
    content, kind = sent.alternatives[0]
    assert kind == "text/html"
    return str(content)


class Words(HTMLParser):
    """The visible words of a mail and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "head" or ("class", "preheader") in attrs:
            self._hidden += 1
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag in {"head", "div"}:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())


def read_html(sent: EmailMultiAlternatives) -> Words:
    words = Words()
    words.feed(html_of(sent))
    return words


def both(sent: EmailMultiAlternatives) -> tuple[str, str]:
    """The two parts as a reader reads them, each on one line."""
    return " ".join(text_of(sent).split()), read_html(sent).said


def links_in(text: str) -> list[str]:
    return re.findall(r"https?://\S+", text)


def find_link(sent: EmailMultiAlternatives, path: str) -> str:
    """The one address under that path, the same in both parts."""
    found = {
        link
        for link in [*links_in(text_of(sent)), *read_html(sent).links]
        if urlsplit(link).path.startswith(path) and urlsplit(link).path != path
    }
    assert len(found) == 1, found
    return found.pop()


def assert_not_wanted(owed: OutgoingMail) -> None:
    before = len(mailbox.outbox)
    assert not emails.deliver_mail(owed.pk)
    owed.refresh_from_db()
    assert (owed.next_attempt_at, owed.sent_at, owed.error) == (None, None, "no longer wanted")
    assert len(mailbox.outbox) == before
