"""Child process of the gifts benchmark: fills the database, or delivers all due e-mails."""

import json
import resource
import sys
import time
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the set-up
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns import gifts, jobs  # noqa: E402
from campaigns.emails.delivery import render_mail  # noqa: E402
from campaigns.emails.gifts import build_claim_context, build_gift_context  # noqa: E402
from campaigns.models import Checkout, Gift, OutgoingMail, Payment  # noqa: E402
from tests.support.factories import make_campaign, make_member, make_price  # noqa: E402

settings.EMAIL_BACKEND = "newsroom.demo.mails.FolderBackend"
RENDERED = 300
PURCHASE_SIZE = 100


def prepare(wanted: int) -> dict[str, float]:
    """Create gifts in purchases of a hundred, all due now, and measure rendering alone."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=9))
    price, buyer = make_price("gift"), make_member("ada@example.org")
    for purchase in range(wanted // PURCHASE_SIZE):
        checkout = Checkout.objects.create(
            kind=Checkout.Kind.GIFT,
            campaign=campaign,
            price=price,
            amount_minor=price.amount_minor * PURCHASE_SIZE,
            currency=price.currency,
            email=buyer.email,
            status=Checkout.Status.PAID,
            session_id=f"cs_{purchase}",
            typed={"gifts": [{}] * PURCHASE_SIZE},
        )
        payment = Payment.objects.create(
            role=Payment.Role.GIFT,
            status=Payment.Status.SUCCEEDED,
            amount_minor=checkout.amount_minor,
            currency="eur",
            paid_at=now,
            campaign=campaign,
            member=buyer,
            checkout=checkout,
            intent_id=f"pi_{purchase}",
        )
        made = []
        for position in range(PURCHASE_SIZE):
            gift = Gift(
                checkout=checkout,
                position=position,
                payment=payment,
                price=price,
                months=12,
                buyer=buyer,
                buyer_name="Ada Reader",
                recipient_name=f"Reader {position}",
                recipient_email=f"reader{purchase}.{position}@example.org",
                message="For your birthday.\nRead well.",
                paid_at=now,
                deliver_at=now,
                expires_at=now + timedelta(days=365),
            )
            gift.set_code()
            made.append(gift)
        Gift.objects.bulk_create(made)
        OutgoingMail.objects.bulk_create(
            OutgoingMail(
                key=f"gift_invitation:{gift.pk}",
                kind=OutgoingMail.Kind.GIFT_INVITATION,
                gift=gift,
                due_at=now,
            )
            for gift in made
        )
    return {"rendered_a_second": _measure_rendering()}


def _measure_rendering() -> float:
    gift = Gift.objects.select_related("checkout__campaign", "price__plan").first()
    assert gift is not None
    render_mail(
        "gifts/invitation", build_gift_context(gift, "en") | build_claim_context(gift)
    )  # the first call compiles the templates
    start = time.perf_counter()
    for _ in range(RENDERED):
        render_mail("gifts/invitation", build_gift_context(gift, "en") | build_claim_context(gift))
    return RENDERED / (time.perf_counter() - start)


def deliver() -> dict[str, float]:
    """Deliver as the sweep does, until no invitation is due."""
    since = until = time.time()
    invitations = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.GIFT_INVITATION)
    while invitations.filter(due_at__isnull=False).exists():
        jobs.run_due_jobs("mails", "deliveries", "banners")
        until = time.time()
    gifts.record_deliveries()
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"since": since, "until": until, "megabytes": megabytes}


if __name__ == "__main__":
    print(json.dumps(prepare(int(sys.argv[2])) if sys.argv[1] == "prepare" else deliver()))
