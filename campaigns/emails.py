"""One function a message; texts and looks are in templates/emails/."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, tzinfo
from email.utils import formataddr
from typing import Any

import css_inline
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from campaigns.models import Checkout, Gift, Membership, OutgoingMail, Payment

LEASE = timedelta(seconds=40)
_LONGEST_PAUSE = timedelta(hours=6)
PORTAL_SALT = "campaigns.portal"
_inliner = css_inline.CSSInliner(
    keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False
)


class NothingToSay(Exception):
    """The message is no longer wanted: its gift was revoked, say."""


def due_mail_ids(*, at: datetime, limit: int = 500) -> list[int]:
    due = OutgoingMail.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def owe_again(mail_ids: Iterable[int]) -> int:
    """Make messages due once more, sent or put off; how many were. One being sent is left alone."""
    now = timezone.now()
    idle = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__gt=now + LEASE)
    return OutgoingMail.objects.filter(idle, pk__in=mail_ids).update(
        next_attempt_at=now, sent_at=None, error=""
    )


def deliver_mail(mail_id: int) -> bool:
    """Send an owed message if nobody else is at it; whether it went out now.

    It goes out twice only if we die between the provider's acceptance and our note of it.
    """
    now = timezone.now()
    due = OutgoingMail.objects.filter(pk=mail_id, next_attempt_at__lte=now)
    if not due.update(next_attempt_at=now + LEASE, attempts=F("attempts") + 1):
        return False
    mail = OutgoingMail.objects.select_related(
        "payment__member", "payment__checkout", "membership__member", "gift__buyer"
    ).get(pk=mail_id)
    ours = OutgoingMail.objects.filter(pk=mail_id, attempts=mail.attempts)
    try:
        send_mail(mail)
    except NothingToSay:
        ours.update(next_attempt_at=None, error="no longer wanted")
        return False
    except Exception as error:  # whatever the provider says, the message stays owed
        pause = min(timedelta(seconds=15 * 2 ** min(mail.attempts, 12)), _LONGEST_PAUSE)
        # The error's words may hold an address; its kind is enough for staff to look closer.
        ours.update(next_attempt_at=timezone.now() + pause, error=type(error).__name__)
        return False
    ours.update(next_attempt_at=None, sent_at=timezone.now(), error="")
    return True


def send_mail(mail: OutgoingMail) -> None:
    """Hand one owed message to the mail provider; raises NothingToSay or the provider's error."""
    with override(mail.language), timezone.override(_zone(mail)):
        _MESSAGES[mail.kind](mail)


def send_receipt(mail: OutgoingMail) -> None:
    payment = _payment(mail)
    _send(
        "receipt",
        to=payment.member.email,
        context=_about_checkout(payment.checkout) | {"payment": payment, "member": payment.member},
    )


def send_welcome(mail: OutgoingMail) -> None:
    membership = mail.membership
    if membership is None or membership.status == Membership.Status.ENDED:
        raise NothingToSay
    _send(
        "welcome",
        to=membership.member.email,
        context=_about_checkout(membership.checkout)
        | {
            "member": membership.member,
            "membership": membership,
            "plan": _plan_copy(membership, mail.language),
        },
    )


def send_gift_bought(mail: OutgoingMail) -> None:
    gift = _gift(mail)
    _send("gift_bought", to=gift.buyer.email, context=_about_gift(gift, mail.language))


def send_gift_invitation(mail: OutgoingMail) -> None:
    """To the recipient; the buyer's name is a display name on the newsroom's own address."""
    gift = _gift(mail)
    if gift.status not in Gift.CLAIMABLE or gift.is_handed_over:
        raise NothingToSay
    _send(
        "gift_invitation",
        to=gift.recipient_email,
        context=_about_gift(gift, mail.language),
        sender=f"{gift.buyer_name} / {settings.NEWSROOM_NAME}" if gift.buyer_name else "",
    )


def send_gift_claimed(mail: OutgoingMail) -> None:
    gift = _gift(mail)
    _send("gift_claimed", to=gift.buyer.email, context=_about_gift(gift, mail.language))


_MESSAGES: dict[str, Callable[[OutgoingMail], None]] = {
    OutgoingMail.Kind.RECEIPT: send_receipt,
    OutgoingMail.Kind.WELCOME: send_welcome,
    OutgoingMail.Kind.GIFT_BOUGHT: send_gift_bought,
    OutgoingMail.Kind.GIFT_INVITATION: send_gift_invitation,
    OutgoingMail.Kind.GIFT_CLAIMED: send_gift_claimed,
}


def portal_token(checkout: Checkout) -> str:
    """What proves to the portal's door that its bearer got the mail."""
    return signing.dumps(str(checkout.pk), salt=PORTAL_SALT, compress=False)


def _payment(mail: OutgoingMail) -> Payment:
    assert mail.payment is not None
    return mail.payment


def _gift(mail: OutgoingMail) -> Gift:
    assert mail.gift is not None
    if mail.gift.status == Gift.Status.REVOKED:
        raise NothingToSay
    return mail.gift


def _zone(mail: OutgoingMail) -> tzinfo:
    """Days are told as the drive's own calendar has them."""
    about = mail.payment or mail.membership or mail.gift
    checkout = about.checkout if about else None
    campaign = checkout.campaign if checkout else None
    return campaign.zone_info if campaign else timezone.get_default_timezone()


def _plan_copy(membership: Membership, language: str) -> Any:
    return membership.plan.copy_for(language) if membership.plan else None


def _about_checkout(checkout: Checkout | None) -> dict[str, Any]:
    if checkout is None:
        return {}
    context: dict[str, Any] = {"checkout": checkout, "price": checkout.price}
    context["plan"] = checkout.price.plan.copy_for(checkout.language)
    if checkout.customer_id:
        token = {"token": portal_token(checkout)}
        context["portal_url"] = settings.SITE_URL + reverse("campaigns:portal", kwargs=token)
    return context | _about_campaign(checkout)


def _about_campaign(checkout: Checkout) -> dict[str, Any]:
    if checkout.campaign is None:
        return {}
    here = {"slug": checkout.campaign.slug}
    return {
        "campaign": checkout.campaign,
        "campaign_url": settings.SITE_URL + reverse("campaigns:campaign", kwargs=here),
    }


def _about_gift(gift: Gift, language: str) -> dict[str, Any]:
    claim = reverse("campaigns:claim", kwargs={"code": gift.code})
    return _about_campaign(gift.checkout) | {
        "gift": gift,
        "plan": gift.price.plan.copy_for(language),
        "claim_code": gift.code,
        "claim_url": settings.SITE_URL + claim,
        "claim_by_code_url": settings.SITE_URL + reverse("campaigns:claim_by_code"),
    }


def _send(name: str, *, to: str, context: dict[str, Any], sender: str = "") -> None:
    context = {
        "newsroom_name": settings.NEWSROOM_NAME,
        "reply_address": settings.DEFAULT_FROM_EMAIL,
        "site_url": settings.SITE_URL,
    } | context
    context["subject"] = _one_line(render_to_string(f"emails/{name}_subject.txt", context))
    mail = EmailMultiAlternatives(
        context["subject"],
        _tidy(render_to_string(f"emails/{name}.txt", context)),
        formataddr((_one_line(sender or settings.NEWSROOM_NAME), settings.DEFAULT_FROM_EMAIL)),
        [to],
    )
    mail.attach_alternative(
        _inliner.inline(render_to_string(f"emails/{name}.html", context)), "text/html"
    )
    mail.send()


def _one_line(text: str) -> str:
    """Fit for a header: a line break in a name would begin a header of its own."""
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """What a reader sees of a text template: its tags leave indents and empty lines behind."""
    lines = "\n".join(line.strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
