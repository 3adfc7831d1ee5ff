"""A gift as its buyer sees it: its state in plain words, and what can be done about it."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.emails import links
from campaigns.models import Gift
from campaigns.models.codes import CodeKeyLost


class State(models.TextChoices):
    """In the order in which a buyer wants to know."""

    BOUNCED = "bounced", gettext_lazy("came back")
    WAITING = "waiting", gettext_lazy("waiting for their day")
    LEAVING = "leaving", gettext_lazy("on their way")
    HANDED = "handed", gettext_lazy("for you to hand over")
    SENT = "sent", gettext_lazy("sent")
    CLAIMED = "claimed", gettext_lazy("claimed")
    EXPIRED = "expired", gettext_lazy("expired")
    REVOKED = "revoked", gettext_lazy("taken back")


@dataclass(frozen=True)
class GiftRow:
    """Never by whom a gift was claimed. `code` and `claim_url` stand while it can be."""

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
        """Where the page says for whom it is, for buttons that are alike in each row."""
        return f"gift-{self.gift.position}-name"

    @property
    def is_open(self) -> bool:
        """Whether it can be claimed, and so sent again and changed."""
        return self.state not in {State.CLAIMED, State.EXPIRED, State.REVOKED}

    @property
    def is_lost(self) -> bool:
        """Whether the key of its code was taken away: only a new code makes it whole."""
        return self.is_open and not self.code


def describe_gift(gift: Gift, *, at: datetime) -> GiftRow:
    state = _state_of(gift, at=at)
    row = GiftRow(gift, state, _say(gift, state), gift.expires_at.astimezone(_zone_of(gift)).date())
    if not row.is_open:
        return row
    try:
        code = gift.code
    except CodeKeyLost:
        return row
    address = links.absolute("claim", code=code)
    return GiftRow(gift, state, row.words, row.claim_by, code, address)


def _state_of(gift: Gift, *, at: datetime) -> State:
    if not gift.is_claimable:
        return State(gift.status)
    if gift.expires_at <= at:
        return State.EXPIRED  # the sweep will say so in a moment
    if gift.bounced_at is not None:
        return State.BOUNCED
    if gift.delivered_at is None and not gift.is_due(at=at):
        return State.WAITING
    if gift.is_handed_over:
        return State.HANDED
    return State.SENT if gift.delivered_at is not None else State.LEAVING


def _say(gift: Gift, state: State) -> str:
    """The state with its day, in the campaign's zone; a delivery in that of the recipient."""
    words, moment = {
        State.BOUNCED: (_("Came back on %(date)s"), gift.bounced_at),
        State.WAITING: (_("Waits until %(date)s"), gift.deliver_at),
        State.LEAVING: (_("On its way"), None),
        State.HANDED: (_("For you to hand over"), None),
        State.SENT: (_("Sent on %(date)s"), gift.delivered_at),
        State.CLAIMED: (_("Claimed on %(date)s"), gift.claimed_at),
        State.EXPIRED: (_("Expired on %(date)s"), gift.expires_at),
        State.REVOKED: (_("Taken back on %(date)s"), gift.revoked_at),
    }[state]
    if state is State.REVOKED and gift.revoked_for == Gift.Cause.MONEY:
        words = _("Taken back on %(date)s, since its payment was returned")
    if moment is None:
        return words
    if state is State.WAITING:
        there = moment.astimezone(gift.recipient_zone)
        return words % {"date": date_format(there, "j E Y, H:i T")}
    return words % {"date": date_format(moment.astimezone(_zone_of(gift)), "j E Y")}


def _zone_of(gift: Gift) -> tzinfo:
    """That of the campaign, in which the buyer is told of everything else."""
    campaign = gift.checkout.campaign
    return campaign.zone_info if campaign else timezone.get_default_timezone()
