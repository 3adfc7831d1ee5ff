"""A gift as its buyer sees it: its status, its claim link and what the buyer can do."""

from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import dates
from campaigns.emails import links
from campaigns.models import Gift, find_zone
from campaigns.models.codes import CodeKeyLost


class State(models.TextChoices):
    """The states of a gift, most urgent for the buyer first."""

    BOUNCED = "bounced", gettext_lazy("bounced")
    WAITING = "waiting", gettext_lazy("scheduled")
    LEAVING = "leaving", gettext_lazy("being sent")
    HANDED = "handed", gettext_lazy("to hand over")
    SENT = "sent", gettext_lazy("sent")
    CLAIMED = "claimed", gettext_lazy("claimed")
    EXPIRED = "expired", gettext_lazy("expired")
    REVOKED = "revoked", gettext_lazy("revoked")


@dataclass(frozen=True)
class GiftRow:
    """One row of the buyer's page; it never says who claimed the gift.

    `code` and `claim_url` are empty once the gift can't be claimed.
    """

    gift: Gift
    state: State
    words: str
    claim_by: date
    code: str = ""
    claim_url: str = ""

    @property
    def number(self) -> int:
        return self.gift.position + 1

    @property
    def name_id(self) -> str:
        """Return the id of the recipient's name, which describes the buttons of this row."""
        return f"gift-{self.gift.position}-name"

    @property
    def is_open(self) -> bool:
        """Return whether the gift can be claimed, resent and changed."""
        return self.state not in {State.CLAIMED, State.EXPIRED, State.REVOKED}

    @property
    def is_lost(self) -> bool:
        """Return whether the claim code can't be derived any more and needs to be replaced."""
        return self.is_open and not self.code


def describe_gift(gift: Gift, *, at: datetime) -> GiftRow:
    """Return the buyer's row for a gift at `at`."""
    state = _state_of(gift, at=at)
    claim_by = gift.expires_at.astimezone(_zone_of(gift)).date()
    row = GiftRow(gift, state, _describe_state(gift, state), claim_by)
    if not row.is_open:
        return row
    try:
        code = gift.code
    except CodeKeyLost:
        return row
    return replace(row, code=code, claim_url=links.build_url("claim", code=code))


def _state_of(gift: Gift, *, at: datetime) -> State:
    if not gift.is_claimable:
        return State(gift.status)
    if gift.expires_at <= at:
        return State.EXPIRED  # a job will mark it soon
    if gift.bounced_at is not None:
        return State.BOUNCED
    if gift.delivered_at is None and not gift.is_due(at=at):
        return State.WAITING
    if gift.is_handed_over:
        return State.HANDED
    return State.SENT if gift.delivered_at is not None else State.LEAVING


def _describe_state(gift: Gift, state: State) -> str:
    """Return the state with its day: delivery in the recipient's zone, others in the campaign's."""
    words, moment = {
        State.BOUNCED: (_("Bounced on %(date)s"), gift.bounced_at),
        State.WAITING: (_("Scheduled for %(date)s"), gift.deliver_at),
        State.LEAVING: (_("Being sent"), None),
        State.HANDED: (_("Ready to hand over"), None),
        State.SENT: (_("Sent on %(date)s"), gift.delivered_at),
        State.CLAIMED: (_("Claimed on %(date)s"), gift.claimed_at),
        State.EXPIRED: (_("Expired on %(date)s"), gift.expires_at),
        State.REVOKED: (_("Revoked on %(date)s"), gift.revoked_at),
    }[state]
    if state is State.REVOKED and gift.revoked_for == Gift.Cause.MONEY:
        words = _("Revoked on %(date)s because its payment was reversed")
    if moment is None:
        return words
    if state is State.WAITING:
        there = moment.astimezone(gift.recipient_zone)
        return words % {"date": dates.write_moment(there)}
    return words % {"date": date_format(moment.astimezone(_zone_of(gift)), "j E Y")}


def _zone_of(gift: Gift) -> tzinfo:
    """Return the campaign's time zone, in which the buyer reads all other times."""
    return find_zone(gift.checkout.campaign)
