"""E-mails of every kind: the rows that need them, and their text as a recipient reads it."""

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
from django.utils import timezone

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
    Problem,
    RefundOrder,
    ShareReward,
    SignInLink,
)
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_price,
    record_claim,
)
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.reports import make_report_outgoing

PAID_AT = "2026-11-10 12:00"
_number = count(1)


def make_paid_membership(campaign: Campaign | None, kind: str = "year", **changes: Any) -> Payment:
    """Create Ada's first payment with its membership and Checkout."""
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


def make_gift_of_ada(campaign: Campaign | None, **changes: Any) -> Gift:
    return make_gift(make_member("ada@example.org"), campaign, PAID_AT, **changes)


def make_mail(kind: str, *, language: str = "en", **about: Any) -> OutgoingMail:
    if kind == "gift_bought":  # about the whole purchase
        about = {"checkout": about["gift"].checkout}
    about.setdefault("key", f"{kind}:{next(_number)}")
    return OutgoingMail.objects.create(kind=kind, language=language, **about)


def make_dispute_mail(
    campaign: Campaign | None, *, status: str = "needs_response", language: str = "en"
) -> OutgoingMail:
    """Create an e-mail to staff about a dispute of Ada's yearly payment."""
    dispute = make_dispute(make_paid_membership(campaign), "2026-11-20 09:00", status=status)
    dispute.reason, dispute.evidence_due_at = "product_not_received", at("2026-11-29 21:59")
    dispute.save()
    key = f"dispute:{dispute.dispute_id}:{status}"
    return make_mail(
        "dispute", key=key, language=language, dispute=dispute, payment=dispute.payment
    )


def make_problem_mail(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create an e-mail to staff about a worker that has stopped."""
    problem = Problem.objects.create(kind="worker", begun_at=at(PAID_AT))
    key = f"problem:{problem.pk}:began"
    return make_mail("problem", key=key, language=language, problem=problem)


def make_past_due_mail(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create an e-mail to Ada about the failed payment for her second year."""
    first = make_paid_membership(campaign)
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
    return make_mail(
        "past_due", key=f"past_due:in_{number}", language=language, membership=membership
    )


def make_reward_mail(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create an e-mail to Ada, by whose link three friends joined."""
    membership = make_paid_membership(campaign).membership
    assert membership is not None
    ShareReward.objects.create(
        campaign=campaign or make_campaign(),
        member=membership.member,
        number=1,
        friends=3,
        months=2,
        membership=membership,
    )
    return make_mail("reward", language=language, membership=membership)


def make_lapsed_mail(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create an e-mail to Ada, whose second year wasn't paid within two weeks."""
    membership = make_paid_membership(campaign).membership
    assert membership is not None
    Membership.objects.filter(pk=membership.pk).update(
        status=Membership.Status.LAPSED, access_until=at("2027-11-24 12:00")
    )
    return make_mail("lapsed", language=language, membership=membership)


def make_sign_in_mail(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create an e-mail to Ada with a new sign-in link."""
    link = SignInLink(member=make_member("ada@example.org"))
    link.secret_hash = links.hash_sign_in_token(links.make_sign_in_token(link))
    link.save()
    return make_mail("sign_in", language=language, member=link.member, sign_in=link)


def make_address_mail(
    campaign: Campaign | None, *, kind: str, language: str = "en"
) -> OutgoingMail:
    """Create an e-mail to Ada about a change of her address, pending or made."""
    ada = make_member("ada@example.org")
    change = AddressChange.objects.create(member=ada, email="ada@new.example")
    if kind == "address_changed":
        Member.objects.filter(pk=ada.pk).update(email=change.email)
        AddressChange.objects.update(made_at=change.asked_at)
    return make_mail(kind, language=language, member=ada, address_change=change)


def make_erasure_mail(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create an e-mail to Ada, who requested the erasure of her data."""
    ada = make_member("ada@example.org")
    erasures.request_erasure(ada, language=language)
    return OutgoingMail.objects.get(kind="erasure", member=ada)


def make_extension(base: Membership, campaign: Campaign) -> Membership:
    """Extend a membership by a claimed gift of three months."""
    gift = record_claim(make_gift_of_ada(campaign, months=3), base.member, "2026-11-12 09:00")
    assert gift.membership is not None
    Membership.objects.filter(pk=gift.membership.pk).update(
        extends=base, ends_at=at("2028-02-10 12:00")
    )
    return Membership.objects.get(pk=gift.membership.pk)


def make_gifts_of_ada(campaign: Campaign | None, *changes: dict[str, Any]) -> list[Gift]:
    """Create several gifts of one purchase."""
    first = make_gift_of_ada(campaign, **changes[0])
    shared = {"checkout": first.checkout, "payment": first.payment}
    others = [
        make_gift_of_ada(campaign, **shared, position=position, **of_this)
        for position, of_this in enumerate(changes[1:], start=1)
    ]
    return [first, *others]


# Values of the gift that an e-mail of this kind is about.
_GIFT_STATES: dict[str, dict[str, Any]] = {
    "gift_to_pass_on": {"recipient_email": "", "deliver_at": at("2026-12-24 06:00")},
    "gift_delivered": {"status": "delivered", "delivered_at": at(PAID_AT)},
    "gift_bounced": {"bounced_at": at(PAID_AT)},
    "gift_bounced_staff": {"bounced_at": at(PAID_AT)},
}


def make_change_mail(campaign: Campaign | None, *, kind: str, language: str = "en") -> OutgoingMail:
    """Create an e-mail to Ada about a change that staff made, with their message."""
    payment = make_paid_membership(campaign)
    about: dict[str, Any] = {"membership": payment.membership}
    if kind == "refunded":
        order = RefundOrder.objects.create(payment=payment, amount_minor=1000, reason="duplicate")
        about = {"payment": payment, "key": f"refunded:{order.pk}"}
    elif kind == "offline":
        about = {"payment": payment}
    return make_mail(kind, language=language, message="Sorry.\nYours, Mia", **about)


def make_newsletter_mail(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create an e-mail to Ada, who gets one newsletter and asked for another one."""
    make_subscription(make_newsletter("morning"))
    asked = make_subscription(make_newsletter("war"), status="pending", campaign=campaign)
    return make_mail("newsletter", language=language, subscription=asked)


_MAKERS: dict[str, Callable[..., OutgoingMail]] = {
    "dispute": make_dispute_mail,
    "erasure": make_erasure_mail,
    "lapsed": make_lapsed_mail,
    "newsletter": make_newsletter_mail,
    "past_due": make_past_due_mail,
    "problem": make_problem_mail,
    "report": make_report_outgoing,
    "reward": make_reward_mail,
    "sign_in": make_sign_in_mail,
    **{
        kind: partial(make_change_mail, kind=kind)
        for kind in ("refunded", "granted", "offline", "cancelled", "ended")
    },
    **{
        kind: partial(make_address_mail, kind=kind)
        for kind in ("address_old", "address_new", "address_changed")
    },
}


def make_mail_of_kind(
    kind: str, campaign: Campaign | None, *, language: str = "en"
) -> OutgoingMail:
    if kind in {"receipt", "renewal", "welcome"}:
        payment = make_paid_membership(campaign)
        about = {"payment": payment} if kind == "receipt" else {"membership": payment.membership}
        return make_mail(kind, language=language, **about)
    if kind in _MAKERS:
        return _MAKERS[kind](campaign, language=language)
    if kind == "unfinished":
        if campaign is not None:
            campaign.reminds_unfinished = True
            campaign.save()
        checkout = make_checkout(campaign, email="ada@example.org", opened_at=timezone.now())
        return make_mail(kind, language=language, checkout=checkout)
    gift = make_gift_of_ada(
        campaign, message="For your birthday.\nRead well.", **_GIFT_STATES.get(kind, {})
    )
    if kind in {"gift_claimed", "gift_ending"}:
        record_claim(gift, make_member("cleo@example.org"), "2026-11-12 09:00")
    if kind == "gift_confirm":
        return make_mail(kind, language=language, gift=gift, member=make_member("cleo@example.org"))
    return make_mail(kind, language=language, gift=gift)


# Sent e-mails


def send_mail(mail: OutgoingMail) -> EmailMultiAlternatives:
    assert emails.deliver_mail(mail.pk)
    mail.refresh_from_db()
    assert (mail.due_at, mail.error, mail.attempts) == (None, "", 1)
    assert mail.sent_at is not None
    sent = mailbox.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def text_of(sent: EmailMessage) -> str:
    return str(sent.body)


def html_of(sent: EmailMultiAlternatives) -> str:
    content, kind = sent.alternatives[0]
    assert kind == "text/html"
    return str(content)


class MailReader(HTMLParser):
    """The visible text of an e-mail, and the addresses of its links."""

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
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read_html(sent: EmailMultiAlternatives) -> MailReader:
    words = MailReader()
    words.feed(html_of(sent))
    return words


def read_both_parts(sent: EmailMultiAlternatives) -> tuple[str, str]:
    """Return the text and the HTML part as a recipient reads them, each in one line."""
    return " ".join(text_of(sent).split()), read_html(sent).text


def links_in(text: str) -> list[str]:
    return re.findall(r"https?://\S+", text)


def find_link(sent: EmailMultiAlternatives, path: str) -> str:
    """Return the only link under that path. Both parts must have the same one."""
    found = {
        link
        for link in [*links_in(text_of(sent)), *read_html(sent).links]
        if urlsplit(link).path.startswith(path) and urlsplit(link).path != path
    }
    assert len(found) == 1, found
    return found.pop()


def assert_no_longer_wanted(mail: OutgoingMail) -> None:
    before = len(mailbox.outbox)
    assert not emails.deliver_mail(mail.pk)
    mail.refresh_from_db()
    assert (mail.due_at, mail.sent_at, mail.error) == (None, None, "no longer wanted")
    assert len(mailbox.outbox) == before
