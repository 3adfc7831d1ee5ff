"""All jobs: which rows are due, and the function that works on one of them."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import (
    actions,
    attempts,
    banners,
    deliveries,
    digests,
    emails,
    erasures,
    ghost,
    gifts,
    members,
    memberships,
    newsletters,
    progress,
    settlement,
    webhooks,
)
from campaigns.jobs.engine import MAIL, PUBLISH, SLOW, STRIPE, Job, Sweep, run_job
from campaigns.models import (
    ChatPost,
    ChatWebhook,
    Checkout,
    Erasure,
    Gift,
    Member,
    MemberAccess,
    Membership,
    OutgoingMail,
    Payment,
    RefundOrder,
    ReportMail,
    StripeEvent,
    StripeSale,
    correct_refund_states,
)
from campaigns.reports import home, kept

_MINUTE = timedelta(minutes=1)
# These call Stripe or send mails several times for one row.
_LONG_LEASE = 2 * _MINUTE
# Rows that a clean-up handles at once.
_AT_ONCE = 200
# A recount works on batches this long, and continues from its cursor in the next run.
_RECOUNT_TURN = timedelta(seconds=15)
# The pause of jobs that do in one run what all sales of that time have made due.
_GATHERING_PAUSE = timedelta(seconds=1)


def _lapse(_: str) -> int:
    return memberships.lapse_memberships(at=timezone.now())


def _record_deliveries(_: str) -> int:
    return gifts.record_bounces() + gifts.record_deliveries()


def _find_renewals(*, at: datetime) -> list[tuple[int, int]]:
    return list(memberships.list_due_reminders(at=at))


def _find_unfinished(*, at: datetime) -> list[Checkout]:
    return emails.list_unfinished(at=at)


def _find_changes(*, at: datetime) -> QuerySet[Any]:
    return members.select_confirmed_changes(at=at).values_list("pk", flat=True)[:_AT_ONCE]


def _find_rewards(*, at: datetime) -> list[tuple[int, int]]:
    return members.list_due_rewards(at=at)


def _give_rewards(due: tuple[int, int]) -> int:
    return actions.give_due_rewards(*due)


def _find_campaigns(*, at: datetime) -> list[int]:
    return [campaign.pk for campaign in banners.list_campaigns_to_publish(at=at)]


def _recount(campaign_id: int) -> bool:
    """Continue a recount; return whether it is complete."""
    if not progress.continue_recount(campaign_id, until=timezone.now() + _RECOUNT_TURN):
        return False
    banners.request_publishing(campaign_id)
    return True


def _find_old_events(*, at: datetime) -> QuerySet[Any]:
    return webhooks.select_old_events(at=at).values_list("pk", flat=True)[:_AT_ONCE]


def _correct_refund_states(_: str) -> int:
    """Correct payments of refunds that the release before recorded during an upgrade."""
    return correct_refund_states(Payment.objects.all())


def _delete_old(_: str) -> None:
    at = timezone.now()
    for rows in (
        members.select_old_links(at=at),
        members.select_old_changes(at=at),
        newsletters.select_old_requests(at=at),
        Session.objects.filter(expire_date__lte=at),
        deliveries.select_old_outgoing(at=at),
    ):
        old: list[Any] = list(rows.values_list("pk", flat=True)[:_AT_ONCE])
        rows.model._default_manager.filter(pk__in=old).delete()
    attempts.delete_old_counts(at=at)
    deliveries.strip_farewells(at=at)
    digests.clear_old_messages(at=at)


# The jobs that have work after most changes: e-mails, a count to publish, events to deliver.
EFFECTS = ("mails", "banners", "webhooks", *(["ghost"] if settings.GHOST_URL else []))

JOBS: tuple[Job | Sweep, ...] = (
    Job(
        "events",
        _("Process Stripe events"),
        STRIPE,
        StripeEvent.objects.all,
        webhooks.work_on_claimed_event,
        then=EFFECTS,
    ),
    Job(
        "checkouts",
        _("Settle purchases that had no recent event"),
        STRIPE,
        Checkout.objects.all,
        settlement.settle_checkout,
        then=EFFECTS,
    ),
    Job(
        "stripe_sales",
        _("Adopt subscriptions sold at Stripe"),
        STRIPE,
        StripeSale.objects.filter(checkout=None).all,
        actions.adopt_due_sale,
        lease=_LONG_LEASE,
        then=EFFECTS,
    ),
    Job(
        "refunds",
        _("Send refunds to Stripe"),
        STRIPE,
        RefundOrder.objects.all,
        actions.execute_refund_order,
        then=EFFECTS,
    ),
    Job(
        "charges",
        _("Postpone the next charge because of gifts"),
        STRIPE,
        Membership.objects.all,
        memberships.move_charge,
        lease=_LONG_LEASE,
        then=("checkouts",),
    ),
    Job(
        "customers",
        _("Send names and addresses to Stripe"),
        STRIPE,
        Member.objects.filter(erased_at=None).all,
        members.sync_customer,
        lease=_LONG_LEASE,
    ),
    Sweep(
        "lapses",
        _("End memberships or mark them as lapsed"),
        SLOW,
        _lapse,
        then=("checkouts", "mails", "webhooks"),
    ),
    Sweep(
        "renewals",
        _("Schedule reminders of yearly renewals"),
        SLOW,
        memberships.remind_of_renewal,
        _find_renewals,
        then=("mails",),
        every=15 * _MINUTE,
    ),
    Sweep(
        "unfinished",
        _("Schedule reminders of unfinished payments"),
        SLOW,
        emails.remind_of_checkout,
        _find_unfinished,
        then=("mails",),
        every=5 * _MINUTE,
    ),
    Sweep(
        "rewards",
        _("Give months for friends who joined"),
        SLOW,
        _give_rewards,
        _find_rewards,
        then=("charges", "mails", "webhooks"),
        every=_MINUTE,
    ),
    Job(
        "gifts",
        _("Send gift reminders and expire unclaimed gifts"),
        SLOW,
        Gift.objects.all,
        gifts.take_steps,
        lease=_LONG_LEASE,
        then=("mails",),
    ),
    Job(
        "accesses",
        _("Notify other systems of memberships that began or ended"),
        SLOW,
        MemberAccess.objects.all,
        memberships.announce_due_access,
        then=("webhooks",),
    ),
    Sweep(
        "address_changes",
        _("Change addresses"),
        SLOW,
        members.make_change,
        _find_changes,
        then=("mails", "webhooks"),
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
    Sweep(
        "recounts",
        _("Recount campaigns"),
        SLOW,
        _recount,
        progress.list_due_recounts,
        then=("banners",),
    ),
    Job(
        "mails",
        _("Send e-mails"),
        MAIL,
        OutgoingMail.objects.all,
        emails.send_claimed_mail,
        then=("deliveries",),
    ),
    Job(
        "report_mails",
        _("Prepare reports for e-mail"),
        SLOW,
        ReportMail.objects.all,
        digests.send_to_user,
        lease=_LONG_LEASE,
        then=("mails",),
    ),
    Job(
        "chat_reports",
        _("Prepare reports for chats"),
        SLOW,
        ChatWebhook.objects.all,
        digests.send_to_chat,
        lease=_LONG_LEASE,
        then=("chat_posts",),
    ),
    Sweep(
        "milestones",
        _("Detect milestones"),
        SLOW,
        digests.notice_milestones,
        digests.list_campaigns_to_watch,
        then=("mails", "chat_posts"),
        every=_MINUTE,
    ),
    Job("chat_posts", _("Post to chats"), MAIL, ChatPost.objects.all, digests.post_claimed),
    Sweep(
        "deliveries",
        _("Record deliveries and bounces"),
        MAIL,
        _record_deliveries,
        then=("mails", "webhooks"),
        pause=_GATHERING_PAUSE,
    ),
    Sweep(
        "webhooks",
        _("Deliver webhooks"),
        MAIL,
        deliveries.deliver_events,
        deliveries.find_busy_endpoints,
        find_next=deliveries.find_next_delivery,
    ),
    Job(
        "ghost",
        _("Bring members in Ghost in line"),
        SLOW,
        ghost.select_due_members,
        ghost.sync_member,
        lease=_LONG_LEASE,
    ),
    Sweep(
        "banners",
        _("Publish banners"),
        PUBLISH,
        banners.publish_campaign,
        _find_campaigns,
        pause=_GATHERING_PAUSE,
        find_next=banners.find_next_publishing,
    ),
    Sweep(
        "old_events",
        _("Remove personal data from old Stripe events"),
        SLOW,
        webhooks.strip_event,
        _find_old_events,
        every=5 * _MINUTE,
    ),
    Sweep(
        "refund_states",
        _("Correct the status of refunded payments"),
        SLOW,
        _correct_refund_states,
        every=60 * _MINUTE,
    ),
    Sweep(
        "figures",
        _("Measure slow figures of the home page"),
        SLOW,
        home.measure_figure,
        kept.list_due_figures,
        every=_MINUTE,
    ),
    Sweep("old_rows", _("Delete old links and counts"), SLOW, _delete_old, every=60 * _MINUTE),
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
