from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from campaigns.models import Campaign, Payment, Subscription
from campaigns.reports.periods import Period
from campaigns.reports.rates import Rate

__doc__ = DEFINITION = gettext_noop(
    "Addresses that asked for newsletters in the period, on a page, banner or article of this "
    "campaign. An address counts once, however many newsletters it asked for. "
    "“Confirmed” are addresses that confirmed at least one newsletter, even if they "
    "unsubscribed later. “Joined later” are people who made their first membership "
    "payment after they had confirmed. Requests that nobody confirmed are deleted "
    "after 30 days, and subscriptions of erased members at once; neither is included."
)


@dataclass(frozen=True)
class LetterGroup:
    """The addresses of one newsletter or placement; an address can be in several."""

    name: str
    asked: int
    confirmed: int
    joined: int


@dataclass(frozen=True)
class NewsletterSignUps:
    """The steps from a sign-up to a membership; each step is part of the one before."""

    asked: int
    confirmed: int
    joined: int
    by_newsletter: tuple[LetterGroup, ...]
    by_placement: tuple[LetterGroup, ...]

    @property
    def confirmed_share(self) -> Rate:
        return Rate(self.confirmed, self.asked, gettext("No sign-ups yet."))

    @property
    def joined_share(self) -> Rate:
        return Rate(self.joined, self.confirmed, gettext("No confirmed sign-ups yet."))


def count_newsletter_sign_ups(
    campaign: Campaign, period: Period, *, at: datetime
) -> NewsletterSignUps:
    """Return how far the newsletter sign-ups of a campaign came by a moment, as known now."""
    asked = Subscription.objects.filter(
        period.contains("requested_at"), campaign=campaign, requested_at__lte=at
    ).order_by()
    first_payments = Payment.objects.filter(
        status=Payment.Status.SUCCEEDED,
        role=Payment.Role.FIRST,
        paid_at__gt=OuterRef("confirmed_at"),
        paid_at__lte=at,
    )
    # Two queries instead of one with OR, which no index could answer.
    own = first_payments.filter(member__email=OuterRef("email"))
    former = first_payments.filter(member__former_addresses__email=OuterRef("email"))
    steps = asked.annotate(
        is_confirmed=Q(confirmed_at__lte=at), has_joined=Q(Exists(own)) | Q(Exists(former))
    )
    names = steps.values(name=F("newsletter__name")).order_by("newsletter__position", "newsletter")
    places = steps.values(name=F("placement")).order_by("placement")
    [total] = _count(steps.values(name=F("campaign__slug"))) or [LetterGroup("", 0, 0, 0)]
    return NewsletterSignUps(
        asked=total.asked,
        confirmed=total.confirmed,
        joined=total.joined,
        by_newsletter=tuple(_count(names)),
        by_placement=tuple(sorted(_count(places), key=lambda each: -each.asked)),
    )


def _count(groups: QuerySet[Any, Any]) -> list[LetterGroup]:
    confirmed = Q(is_confirmed=True)
    counted = groups.annotate(
        asked=Count("email", distinct=True),
        confirmed=Count("email", filter=confirmed, distinct=True),
        joined=Count("email", filter=confirmed & Q(has_joined=True), distinct=True),
    )
    return [
        LetterGroup(row["name"], row["asked"], row["confirmed"], row["joined"])
        for row in counted.values("name", "asked", "confirmed", "joined")
    ]
