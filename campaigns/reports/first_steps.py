"""The first steps of an empty installation, each done or not, in the order in which they are taken.

After the last of them, the home page shows them no more.
"""

from dataclasses import dataclass

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CampaignCopy, Checkout, Payment, Plan, Price


@dataclass(frozen=True)
class Step:
    """A step with its page: of a row, the list of a model, or the form for a new row."""

    name: str
    label: Promise | str
    explanation: Promise | str
    is_done: bool
    model: type[Model]
    page: str = "changelist"
    row: Model | None = None


def list_first_steps() -> list[Step]:
    """Return all steps, or none once they are all done."""
    campaign = Campaign.objects.order_by("-starts_at").first()
    page = "change" if campaign else "add"
    steps = [
        Step(
            "plan",
            _("Add a plan with a price"),
            _("What readers buy: for example membership, for a month and for a year."),
            Price.objects.filter(is_active=True, plan__is_active=True).exists(),
            Plan,
            "changelist" if Plan.objects.exists() else "add",
        ),
        Step(
            "campaign",
            _("Add a campaign with a goal"),
            _("Its first and last day, its currency, and how many new members you want."),
            campaign is not None and campaign.goals.exists(),
            Campaign,
            page,
            campaign,
        ),
        Step(
            "texts",
            _("Write the texts"),
            _("The headline and a few sentences that readers see in banners and on the page."),
            CampaignCopy.objects.exclude(headline="").exclude(summary="").exists(),
            Campaign,
            page,
            campaign,
        ),
        Step(
            "embed",
            _("Put a banner into your articles"),
            _("Done once a reader comes from a banner and sends the form."),
            Checkout.objects.exclude(placement="").exists(),
            Campaign,
            "embed" if campaign else "add",
            campaign,
        ),
        Step(
            "payment",
            _("Make a test payment"),
            _("Buy a membership like a reader. You can refund it afterwards."),
            Payment.objects.filter(
                status=Payment.Status.SUCCEEDED, intent_id__isnull=False
            ).exists(),
            Checkout,
        ),
    ]
    return [] if all(step.is_done for step in steps) else steps
