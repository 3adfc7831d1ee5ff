"""Delete a campaign in which nothing was sold, with its published files."""

from django.db import transaction

from campaigns import banners
from campaigns.models import Campaign, Checkout, Payment


class CampaignSold(Exception):
    """Something was sold in the campaign, so it is kept."""


def has_sales(campaign: Campaign) -> bool:
    """Return whether someone paid in the campaign, or a bank is deciding."""
    begun = [Checkout.Status.WAITING, Checkout.Status.PAID]
    return (
        campaign.checkouts.filter(status__in=begun).exists()
        or Payment.objects.filter(campaign=campaign).exists()
    )


def delete_campaign(campaign: Campaign) -> None:
    """Delete the campaign's files, then the campaign. Orders that nobody paid are kept without it.

    Raises CampaignSold and banners.CannotWithdraw. The campaign is kept then, and its files are
    published again.
    """
    if has_sales(campaign):
        raise CampaignSold
    with banners.withdraw_files(campaign.pk), transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if has_sales(locked):
            raise CampaignSold
        locked.checkouts.update(campaign=None)
        locked.delete()
