"""Events about gifts for other systems: with the buyer or the member, never the recipient."""

from campaigns import deliveries
from campaigns.models import Gift, Member


def announce_gift(type_: str, gift: Gift, member: Member) -> None:
    """Notify other systems once of a gift's new state; `member` is the person who caused it.

    Call it inside the transaction of the change.
    """
    if not (endpoints := deliveries.find_endpoints(type_)):
        return
    campaign = gift.checkout.campaign
    deliveries.write_event(
        type_,
        {
            "gift": {
                "id": str(gift.pk),
                "status": gift.status,
                "plan": gift.price.plan.slug,
                "months": gift.months,
                "paid_at": gift.paid_at.isoformat(),
                "deliver_at": gift.deliver_at.isoformat(),
                "expires_at": gift.expires_at.isoformat(),
                "buyer_id": gift.buyer_id,
                "claimed_by_id": gift.claimed_by_id,
                "campaign": campaign.slug if campaign else None,
            }
        },
        member=member,
        key=f"{gift.pk}:{member.pk}",
        endpoints=endpoints,
    )
