from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Problem(models.Model):
    """A part that doesn't work, from when it was noticed until it works again.

    `told_at` is set with the row of the e-mail that reports it to staff, so each is sent once.
    """

    class Kind(models.TextChoices):
        WORKER = "worker", _("The worker has stopped")
        BEAT = "beat", _("Celery beat has stopped")
        BROKER = "broker", _("The queue can’t be reached")
        WORK = "work", _("Due jobs are late")
        MAIL = "mail", _("E-mails can’t be sent")
        WEBHOOKS = "webhooks", _("Stripe’s webhooks don’t arrive")
        STRIPE_KEY = "stripe_key", _("Stripe refuses our key")
        STRIPE = "stripe", _("Stripe doesn’t answer")
        PUBLISHING = "publishing", _("Banners can’t be published")
        GHOST = "ghost", _("Ghost doesn’t answer")
        GHOST_KEY = "ghost_key", _("Ghost refuses our key")
        GHOST_TIER = "ghost_tier", _("Ghost has no tier for our members")
        GHOST_STRIPE = "ghost_stripe", _("Ghost isn’t connected to Stripe")

    CURES: dict[str, Promise | str] = {
        Kind.WORKER: _(
            "Payments aren’t counted and e-mails aren’t sent. Start the Celery worker and read its "
            "log."
        ),
        Kind.BEAT: _("Missed jobs aren’t retried. Start Celery beat and read its log."),
        Kind.BROKER: _(
            "Payments and e-mails wait. Start the queue’s server, or correct CELERY_BROKER_URL."
        ),
        Kind.WORK: _(
            "The workers don’t keep up, or a job is stuck. Read the worker’s log, or start more "
            "workers."
        ),
        Kind.MAIL: _(
            "E-mails wait until they can be sent. Check the mail server and EMAIL_URL, or the mail "
            "provider."
        ),
        Kind.WEBHOOKS: _(
            "Payments are counted late. In Stripe’s dashboard, check that the webhook endpoint is "
            "enabled and that STRIPE_WEBHOOK_SECRET is its signing secret."
        ),
        Kind.STRIPE_KEY: _(
            "Nobody can pay. Set STRIPE_SECRET_KEY to a valid key with the permissions "
            "that docs/operations.md lists."
        ),
        Kind.STRIPE: _("Nobody can pay until Stripe answers again. See status.stripe.com."),
        Kind.PUBLISHING: _(
            "Readers see an old count. Check that PUBLISH_DIR can be written and that its disk has "
            "space, or that PUBLISH_STORAGE works."
        ),
        Kind.GHOST: _(
            "Members in Ghost wait until it answers again. Check that Ghost runs, and that "
            "GHOST_URL is its address."
        ),
        Kind.GHOST_KEY: _(
            "Members in Ghost wait. In Ghost, open Settings, Integrations and the custom "
            "integration, or add one. Set GHOST_ADMIN_KEY to its Admin API key. If the key "
            "is right, set this machine’s clock: Ghost refuses tokens that are five minutes old."
        ),
        Kind.GHOST_TIER: _(
            "Members in Ghost wait. Set GHOST_TIER to the name of an active paid tier, or make the "
            "tier active again in Ghost under Settings, Tiers."
        ),
        Kind.GHOST_STRIPE: _(
            "Ghost changes complimentary access only if it is connected to Stripe. In Ghost, open "
            "Settings, Tiers and connect Stripe. A test account is enough: nobody pays there."
        ),
    }
    # Staff get an e-mail only if the problem lasts so long; the admin shows it at once.
    PATIENCE: dict[str, timedelta] = {
        Kind.WORK: timedelta(minutes=3),
        Kind.STRIPE: timedelta(minutes=10),
        Kind.GHOST: timedelta(minutes=10),
    }
    # Each machine sees these for itself. They end when no machine has seen them for a while.
    SEEN_BY_MACHINES = (Kind.BROKER, Kind.PUBLISHING)

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    begun_at = models.DateTimeField(_("began at"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen at"), default=timezone.now)
    told_at = models.DateTimeField(_("reported at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(ended_at__isnull=True), name="problem_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} since {self.begun_at:%Y-%m-%d %H:%M}"

    @property
    def cure(self) -> str:
        return str(self.CURES[self.kind])
