from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StripeEvent(models.Model):
    """A webhook as it arrived: stored first, worked on later, replayable."""

    class Status(models.TextChoices):
        NEW = "new", _("new")
        DONE = "done", _("done")
        IGNORED = "ignored", _("ignored")  # none of our business: kept, answered, not worked on
        FAILED = "failed", _("failed")  # is tried again at next_attempt_at

    class Reason(models.TextChoices):
        """Why an event was none of our business."""

        UNKNOWN_THERE = "unknown there", _("Stripe does not know it")
        NAMES_NONE = "names none", _("it names no Checkout of ours")
        NAMES_A_LOST_ONE = "names a lost one", _("it names a Checkout that is not here")
        NOTHING_KEPT = "nothing kept", _("nothing that we keep hangs on such an object")

    MOVES = {
        Status.NEW: {Status.DONE, Status.IGNORED, Status.FAILED},
        Status.FAILED: {Status.DONE, Status.IGNORED, Status.FAILED},
        Status.DONE: {Status.NEW},  # staff replay it
        Status.IGNORED: {Status.NEW},
    }

    event_id = models.CharField(_("event id"), max_length=255, unique=True)
    type = models.CharField(_("type of event"), max_length=120)
    object_type = models.CharField(_("type of object"), max_length=60, blank=True)
    object_id = models.CharField(_("object id"), max_length=255, blank=True)
    is_live = models.BooleanField(_("live mode"), default=False)
    # Text, not JSON: kept to the letter, and a NUL escape that is fine here is refused by jsonb.
    payload = models.TextField(_("payload"))
    created_at = models.DateTimeField(_("created at"), help_text=_("By Stripe's clock."))
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.NEW)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(
        _("next attempt at"), null=True, blank=True, default=timezone.now
    )
    error = models.TextField(_("error"), blank=True)
    reason = models.CharField(
        _("reason"),
        max_length=200,
        choices=Reason,
        blank=True,
        default="",
        db_default="",
        help_text=_("Why it was none of our business."),
    )
    # After the retention time only the ids are left of the payload.
    stripped_at = models.DateTimeField(_("stripped at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="stripe_event_due",
            ),
            models.Index(
                fields=["received_at"],
                condition=Q(stripped_at__isnull=True),
                name="stripe_event_unstripped",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["new", "failed"], next_attempt_at__isnull=False)
                | Q(status__in=["done", "ignored"], next_attempt_at__isnull=True),
                name="stripe_event_due_until_worked_on",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
