"""Newsletter sign-ups of the demo: readers who confirmed them, and some who joined later."""

import random
from datetime import datetime, timedelta

from campaigns import newsletters
from campaigns.forms import write_wordings
from campaigns.models import Campaign, Newsletter, Payment, Subscription
from newsroom.demo.articles import ARTICLES

READERS = 160
LATER_MEMBERS = 23
_PLACEMENTS = ("signupcard", "signupcard", "signupcard", "signup", "")


def sign_up_readers(campaign: Campaign, *, now: datetime, seed: int) -> None:
    """Create the sign-ups of the campaign's days so far. Nobody gets an e-mail."""
    chance = random.Random(seed)  # noqa: S311 (invented readers)
    first_payments = Payment.objects.filter(
        campaign=campaign, role=Payment.Role.FIRST, status=Payment.Status.SUCCEEDED
    )
    joined = list(first_payments.order_by("pk").values_list("member__email", "paid_at"))
    later = chance.sample(joined, min(LATER_MEMBERS, len(joined)))
    for email, paid_at in later:
        _sign_up(campaign, email, before=paid_at, chance=chance, is_sure=True)
    for number in range(READERS):
        _sign_up(campaign, f"reader{number + 1}@mail.example", before=now, chance=chance)


def _sign_up(
    campaign: Campaign,
    email: str,
    *,
    before: datetime,
    chance: random.Random,
    is_sure: bool = False,
) -> None:
    """Ask for one or two newsletters, and confirm most of them within an hour."""
    hours = (before - campaign.starts_at) / timedelta(hours=1)
    asked_at = before - timedelta(hours=chance.uniform(1, max(hours, 2)))
    offered = list(Newsletter.objects.offered())
    placement = chance.choice(_PLACEMENTS)
    article = chance.choice(list(ARTICLES.values()))
    for newsletter in chance.sample(offered, chance.choice((1, 1, 2))):
        subscription = newsletters.request_subscription(
            newsletter,
            email,
            at=asked_at,
            language="en",
            campaign=campaign,
            placement=placement,
            page_title=article.headline if placement else "",
            consent_wording=write_wordings([newsletter])[newsletter.slug],
        )
        if is_sure or chance.random() < 0.8:
            newsletters.confirm_subscription(
                subscription,
                proof=Subscription.Proof.LINK,
                at=asked_at + timedelta(minutes=chance.randint(1, 55)),
            )
