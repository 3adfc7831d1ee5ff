"""The admin lists with the rows behind a figure, filtered to exactly these rows where possible."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.urls import reverse

from campaigns.models import Campaign, Payment
from campaigns.reports.figure_rows import Figure
from campaigns.reports.periods import Period
from campaigns.reports.sources import Breakdown, Group

# The parameter of the list of counted sign-ups that shows a group of a breakdown.
GROUP = "group"
# The parameter of a list that shows the rows behind a figure.
FIGURE = "figure"


def may_see_everything(model: str) -> bool:
    return True


@dataclass(frozen=True)
class Links:
    """The links of a campaign's figures; empty where the viewer may not see the rows.

    `may_see` says whether they may see the rows of a model.
    """

    campaign: Campaign
    may_see: Callable[[str], bool] = may_see_everything

    def counted(self, period: Period, *, is_of_gifts: bool = False) -> str:
        """Return the list of what, or of the gifts that, joined in the period and still count."""
        gifts = {"gift__isnull": False} if is_of_gifts else {}
        return self._list("tally", _counted(period) | gifts)

    def joined(self, period: Period) -> str:
        """Return the list of what started to count in the period."""
        return self._list("tally", period.lookups("counted_from"))

    def people(self, period: Period) -> str:
        """Return the list of people who started to count in the period."""
        joined = period.lookups("counted_from")
        return self._list("tally", {**joined, "member__isnull": False})

    def gifts_joined(self, period: Period) -> str:
        """Return the list of gifts that started to count in the period."""
        joined = period.lookups("counted_from")
        return self._list("tally", {**joined, "gift__isnull": False})

    def left(self, period: Period, *, is_of_gifts: bool = False) -> str:
        """Return the list of what, or of the gifts that, stopped counting in the period."""
        stopped = period.lookups("counted_until") or {"counted_until__isnull": False}
        return self._list("tally", stopped | ({"gift__isnull": False} if is_of_gifts else {}))

    def group(self, period: Period, breakdown: Breakdown, group: Group) -> str:
        """Return the list of a breakdown's group."""
        return self.groups(period, breakdown)(group)

    def groups(self, period: Period, breakdown: Breakdown) -> Callable[[Group], str]:
        """Return a function that returns `group` quickly: a breakdown can have thousands."""
        start = self._list("tally", {**_counted(period), GROUP: f"{breakdown.name}:"})
        return lambda group: start and start + quote_plus(group.name)

    def gifts(self, period: Period) -> str:
        """Return the list of gifts that were paid in the period."""
        lookups = {"checkout__campaign__id__exact": self.campaign.pk, **period.lookups("paid_at")}
        return self._build("gift", lookups)

    def newsletters(self, period: Period) -> str:
        """Return the list of newsletter subscriptions that were asked for in the period."""
        return self._list("subscription", period.lookups("requested_at"))

    def figure(
        self,
        name: str,
        period: Period,
        *,
        at: datetime,
        part: object = "",
        campaign: Campaign | None = None,
    ) -> str:
        """Return the list of the rows that a figure counts or adds up; see `figure_rows`."""
        figure = Figure(name, campaign or self.campaign, period, at, str(part))
        return self._build(str(figure.model._meta.model_name), {FIGURE: figure.write()})

    def report(self, campaign_id: int, period: Period) -> str:
        """Return the report page of a campaign and its days; its numbers lead to their rows."""
        url = reverse("admin:campaigns_campaign_progress", args=[campaign_id])
        return f"{url}?{urlencode({'from': period.first, 'to': period.last, 'compare': 'none'})}"

    def pending(self) -> str:
        """Return the list of payments of the campaign's days for which a bank decides."""
        lookups: dict[str, Any] = {
            "role__in": ",".join(Payment.COUNTED_ROLES),
            "status__exact": Payment.Status.PENDING,
            "paid_at__gte": self.campaign.starts_at,
            "paid_at__lt": self.campaign.ends_at,
        }
        return self._list("payment", lookups)

    def _list(self, model: str, lookups: dict[str, Any]) -> str:
        return self._build(model, {"campaign__id__exact": self.campaign.pk, **lookups})

    def _build(self, model: str, lookups: dict[str, Any]) -> str:
        if not self.may_see(model):
            return ""
        return f"{reverse(f'admin:campaigns_{model}_changelist')}?{urlencode(lookups)}"


def _counted(period: Period) -> dict[str, Any]:
    return {**period.lookups("counted_from"), "counted_until__isnull": True}
