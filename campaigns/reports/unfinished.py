from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from campaigns.models import Campaign, Checkout, OutgoingMail
from campaigns.reports.periods import Period
from campaigns.reports.rates import Rate

__doc__ = DEFINITION = gettext_noop(
    "Readers who left the payment page without paying and got an e-mail about it in the "
    "period, and how many of them paid after that."
)

HAS_PAID = Q(checkout__status=Checkout.Status.PAID)


@dataclass(frozen=True)
class Unfinished:
    """The readers who were reminded of an unfinished purchase, and those who paid it since."""

    reminded: int
    returned: int

    @property
    def share(self) -> Rate:
        return Rate(self.returned, self.reminded, gettext("Nobody was reminded."))


def count_unfinished(campaign: Campaign, period: Period, *, at: datetime) -> Unfinished:
    """Return who was reminded in the period, and who came back, as known now."""
    sent = select_reminded(campaign, period, at=at)
    return Unfinished(**sent.aggregate(reminded=Count("pk"), returned=Count("pk", filter=HAS_PAID)))


def select_reminded(campaign: Campaign, period: Period, *, at: datetime) -> QuerySet[OutgoingMail]:
    """Return the e-mails about unfinished purchases that were sent in the period."""
    return OutgoingMail.objects.filter(
        period.contains("sent_at"),
        kind=OutgoingMail.Kind.UNFINISHED,
        checkout__campaign=campaign,
        sent_at__lte=at,
    )
