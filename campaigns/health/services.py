"""Checks of everything but processes, for the worker: mail, Stripe, webhooks, publishing, work."""

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from campaigns import attempts, banners, ghost, stripe_api, webhooks
from campaigns.health.jobs import list_jobs
from campaigns.health.processes import Findings
from campaigns.health.signs import read_sign
from campaigns.models import Campaign, GhostSite, OutgoingMail, Problem, Sign, StripeEvent

LATE = timedelta(minutes=5)
WEBHOOK_PATIENCE = timedelta(minutes=10)
# Publishing is tried again every ten seconds, and most errors end by themselves.
PUBLISH_PATIENCE = timedelta(minutes=1)
STRIPE_PAUSE = 300  # seconds between two questions to Stripe while all is well
# These errors are about one recipient, not about the mail server.
_ABOUT_RECIPIENTS = ("SMTPRecipientsRefused", "AnymailRecipientsRefused")
# Stripe's list takes at most 20 types. Each sale has several of these.
_EVENTS = webhooks.EVENTS[:20]
_TROUBLE_OF_GHOST = {
    GhostSite.Trouble.DOWN: Problem.Kind.GHOST,
    GhostSite.Trouble.KEY: Problem.Kind.GHOST_KEY,
    GhostSite.Trouble.TIER: Problem.Kind.GHOST_TIER,
    GhostSite.Trouble.STRIPE: Problem.Kind.GHOST_STRIPE,
}
_PROBE_BYTES = 65536  # more than all banners of a campaign


def check_services(*, at: datetime, is_stripe_broken: bool) -> Findings:
    """Check everything; Stripe is asked rarely unless it was broken before."""
    found: Findings = {
        Problem.Kind.MAIL: _find_mail_error(),
        Problem.Kind.PUBLISHING: _find_publishing_error(at=at),
        Problem.Kind.WORK: _find_late_work(at=at),
        **_find_trouble_of_ghost(),
    }
    if is_stripe_broken or attempts.is_first_within(STRIPE_PAUSE, name="health:stripe"):
        found |= _check_stripe(at=at)
    return found


def _find_mail_error() -> str | None:
    """Return the error of mails that failed repeatedly since a mail was last sent."""
    failing = OutgoingMail.objects.filter(
        due_at__isnull=False, attempts__gte=2, sent_at__isnull=True
    ).exclude(error__in=("", *_ABOUT_RECIPIENTS))
    last_sent = OutgoingMail.objects.filter(sent_at__isnull=False).order_by("-sent_at").first()
    if last_sent is not None and last_sent.sent_at is not None:
        failing = failing.filter(created_at__gt=last_sent.sent_at)
    newest = failing.order_by("-created_at").first()
    return newest.error if newest else None


def _find_publishing_error(*, at: datetime) -> str | None:
    """Return the error of publishing: of a file written here, or of a campaign that fails."""
    error = _try_folder() if banners.is_folder() else None
    return error or _find_campaigns_error(at=at)


def _try_folder() -> str | None:
    """Write a file as publishing does, and return the error."""
    folder = Path(settings.PUBLISH_DIR)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".new-") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _find_campaigns_error(*, at: datetime) -> str | None:
    """Return the error of the campaign whose publishing has failed for longest."""
    failing = Campaign.objects.exclude(publish_error="").filter(
        publish_failed_at__lte=at - PUBLISH_PATIENCE
    )
    longest = failing.order_by("publish_failed_at").values_list("publish_error", flat=True)
    return longest.first()


def _find_trouble_of_ghost() -> Findings:
    """Return what the job found out when it called Ghost: nobody calls it for this."""
    found = ghost.find_trouble()
    return {
        kind: found[1] if found is not None and found[0] == trouble else None
        for trouble, kind in _TROUBLE_OF_GHOST.items()
    }


def _find_late_work(*, at: datetime) -> str | None:
    late = [
        job.name for job in list_jobs(at=at) if job.oldest_due_at and job.oldest_due_at < at - LATE
    ]
    return ", ".join(late) or None


def _check_stripe(*, at: datetime) -> Findings:
    """Ask Stripe for the newest event that should have arrived by now."""
    try:
        event = stripe_api.find_newest_event(_EVENTS, until=at - WEBHOOK_PATIENCE)
    except stripe_api.StripeRefused as error:
        return {Problem.Kind.STRIPE_KEY: f"{error.status} {error.code}".strip()}
    except stripe_api.StripeError as error:
        return {Problem.Kind.STRIPE: type(error).__name__}
    return {
        Problem.Kind.STRIPE_KEY: None,
        Problem.Kind.STRIPE: None,
        Problem.Kind.WEBHOOKS: _find_webhook_error(event),
    }


def _find_webhook_error(event: stripe_api.Event | None) -> str | None:
    """Return why no webhook was stored since an event that isn't stored either."""
    stored, refused = read_sign(Sign.Of.WEBHOOK), read_sign(Sign.Of.REFUSED_WEBHOOK)
    # Events from before this installation were never sent to it.
    if event is None or event.created_at < stored.created_at:
        return None
    if stored.seen_at is not None and stored.seen_at > event.created_at:
        return None
    if StripeEvent.objects.filter(event_id=event.id).exists():
        return None
    is_refused = refused.seen_at is not None and refused.seen_at > event.created_at
    return "refused: the signature is wrong" if is_refused else "none received"
