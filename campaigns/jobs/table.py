"""All jobs: which rows are due, and the function that works on one of them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import (
    actions,
    attempts,
    banners,
    emails,
    erasures,
    gifts,
    members,
    memberships,
    progress,
    settlement,
    webhooks,
)
from campaigns.jobs.engine import MAIL, PUBLISH, SLOW, STRIPE, Job, Sweep, run_job
from campaigns.models import (
    Checkout,
    Erasure,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    RefundOrder,
    StripeEvent,
    StripeSale,
)

_MINUTE = timedelta(minutes=1)
# These call Stripe or send mails several times for one row.
_LONG_LEASE = 2 * _MINUTE
# Rows that a clean-up handles at once.
_AT_ONCE = 200
# A recount works on batches this long, and continues from its cursor in the next run.
_RECOUNT_TURN = timedelta(seconds=15)


def _once(_at: datetime) -> list[str]:
    """Find one thing to do: everything at once."""
    return ["all"]


def _lapse(_: str) -> int:
    return memberships.lapse_memberships(at=timezone.now())


def _record_deliveries(_: str) -> int:
    return gifts.record_bounces() + gifts.record_deliveries()


def _find_changes(at: datetime) -> QuerySet[Any]:
    return members.select_confirmed_changes(at=at).values_list("pk", flat=True)[:_AT_ONCE]


def _find_campaigns(at: datetime) -> list[int]:
    return [campaign.pk for campaign in banners.list_campaigns_to_publish(at=at)]


def _find_recounts(at: datetime) -> list[int]:
    return progress.list_due_recounts(at=at)


def _recount(campaign_id: int) -> bool:
    """Continue a recount; return whether it is complete."""
    if not progress.continue_recount(campaign_id, until=timezone.now() + _RECOUNT_TURN):
        return False
    banners.request_publishing(campaign_id)
    return True


def _find_old_events(at: datetime) -> QuerySet[Any]:
    return webhooks.select_old_events(at=at).values_list("pk", flat=True)[:_AT_ONCE]


def _delete_old(_: str) -> None:
    at = timezone.now()
    for rows in (members.select_old_links(at=at), members.select_old_changes(at=at)):
        old = list(rows.values_list("pk", flat=True)[:_AT_ONCE])
        rows.model._default_manager.filter(pk__in=old).delete()
    attempts.delete_old_counts(at=at)


JOBS: tuple[Job | Sweep, ...] = (
    Job(
        "events",
        _("Process Stripe events"),
        STRIPE,
        StripeEvent.objects.all,
        webhooks.work_on_claimed_event,
        then=("mails", "banners"),
    ),
    Job(
        "checkouts",
        _("Settle purchases that had no recent event"),
        STRIPE,
        Checkout.objects.all,
        settlement.settle_checkout,
        column="settle_at",
        then=("mails", "banners"),
    ),
    Job(
        "stripe_sales",
        _("Adopt subscriptions sold at Stripe"),
        STRIPE,
        StripeSale.objects.filter(checkout=None).all,
        actions.adopt_due_sale,
        column="adopt_at",
        lease=_LONG_LEASE,
        then=("mails", "banners"),
    ),
    Job(
        "refunds",
        _("Send refunds to Stripe"),
        STRIPE,
        RefundOrder.objects.all,
        actions.execute_refund_order,
        then=("mails", "banners"),
    ),
    Job(
        "charges",
        _("Postpone the next charge because of gifts"),
        STRIPE,
        Membership.objects.all,
        memberships.move_charge,
        column="push_at",
        lease=_LONG_LEASE,
        then=("checkouts",),
    ),
    Job(
        "customers",
        _("Send names and addresses to Stripe"),
        STRIPE,
        Member.objects.filter(erased_at=None).all,
        members.sync_customer,
        column="tell_stripe_at",
        lease=_LONG_LEASE,
    ),
    Sweep(
        "lapses",
        _("End memberships or mark them as lapsed"),
        SLOW,
        _once,
        _lapse,
        then=("checkouts", "mails"),
    ),
    Job(
        "gifts",
        _("Send gift reminders and expire unclaimed gifts"),
        SLOW,
        Gift.objects.all,
        gifts.take_steps,
        column="next_step_at",
        lease=_LONG_LEASE,
        then=("mails",),
    ),
    Sweep(
        "address_changes",
        _("Change addresses"),
        SLOW,
        _find_changes,
        members.make_change,
        then=("mails",),
    ),
    Job(
        "erasures",
        _("Erase personal data"),
        SLOW,
        Erasure.objects.all,
        erasures.carry_out_erasure,
        lease=_LONG_LEASE,
        then=("mails",),
    ),
    Sweep("recounts", _("Recount campaigns"), SLOW, _find_recounts, _recount, then=("banners",)),
    Job(
        "mails",
        _("Send e-mails"),
        MAIL,
        OutgoingMail.objects.all,
        emails.send_claimed_mail,
        then=("deliveries",),
    ),
    Sweep(
        "deliveries",
        _("Record deliveries and bounces"),
        MAIL,
        _once,
        _record_deliveries,
        ("mails",),
    ),
    Sweep("banners", _("Publish banners"), PUBLISH, _find_campaigns, banners.publish_campaign),
    Sweep(
        "old_events",
        _("Strip old Stripe events"),
        SLOW,
        _find_old_events,
        webhooks.strip_event,
        every=5 * _MINUTE,
    ),
    Sweep(
        "old_rows", _("Delete old links and counts"), SLOW, _once, _delete_old, every=60 * _MINUTE
    ),
)


def find_job(name: str) -> Job | Sweep:
    """Return a job by its name. Raises KeyError."""
    return {job.name: job for job in JOBS}[name]


def run_due_jobs(*names: str) -> int:
    """Run these jobs, or all, until nothing is due; return the number of rows worked on.

    A row that fails is left for its next attempt.
    """
    chosen = [find_job(name) for name in names] or JOBS
    total = 0
    for job in chosen:
        while (outcome := run_job(job, turn=_MINUTE)).is_rest_due:
            total += outcome.worked
        total += outcome.worked
    return total
