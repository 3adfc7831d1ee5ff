import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.campaign import Campaign
from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.due import DueModel
from campaigns.models.member import Member
from campaigns.models.moves import check_move
from campaigns.models.origin import HasOrigin
from campaigns.models.plan import Price, Terms


class Checkout(HasOrigin, DueModel):
    """An order of a reader, written before Stripe is called.

    Its id is the only metadata that we give Stripe, on the session and on the payment intent or
    the subscription. With the attempt number it makes the idempotency key.
    """

    class Kind(models.TextChoices):
        JOIN = "join", _("membership")
        GIFT = "gift", _("gift membership")
        CONTRIBUTION = "contribution", _("contribution without membership")

    class Status(models.TextChoices):
        STARTING = "starting", _("starting")  # Stripe hasn't been asked, or hasn't answered
        OPEN = "open", _("open")  # the reader may be paying
        WAITING = "waiting", _("pending")  # the bank is deciding
        PAID = "paid", _("paid")
        FAILED = "failed", _("failed")  # the bank declined it later
        EXPIRED = "expired", _("expired")

    # Stripe decides, and a completed session never reopens.
    MOVES = {
        Status.STARTING: {Status.OPEN, Status.WAITING, Status.PAID, Status.FAILED, Status.EXPIRED},
        Status.OPEN: {
            Status.STARTING,
            Status.WAITING,
            Status.PAID,
            Status.FAILED,
            Status.EXPIRED,
        },
        Status.EXPIRED: {Status.STARTING, Status.OPEN, Status.WAITING, Status.PAID, Status.FAILED},
        Status.WAITING: {Status.PAID, Status.FAILED},
        Status.FAILED: {Status.PAID, Status.WAITING},
        Status.PAID: set(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.PROTECT,
        verbose_name=_("campaign"),
        null=True,
        blank=True,
        db_index=False,
        related_name="checkouts",
    )
    price = models.ForeignKey(
        Price, on_delete=models.PROTECT, verbose_name=_("price"), related_name="+"
    )
    amount_minor = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(pgettext_lazy("a person’s", "name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
    )
    typed = models.JSONField(_("form content"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.STARTING)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    member = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        verbose_name=_("member"),
        null=True,
        blank=True,
        related_name="checkouts",
    )
    session_id = models.CharField(
        _("session ID"), max_length=255, null=True, blank=True, unique=True
    )
    # Only if it was sold at Stripe and adopted here: it never had a session of ours.
    subscription_id = models.CharField(
        _("adopted subscription"), max_length=255, null=True, blank=True, unique=True
    )
    session_url = models.TextField(_("session URL"), blank=True)
    customer_id = models.CharField(_("customer ID"), max_length=255, blank=True)
    # Incremented by every settlement: one that read Stripe before another wrote reads again.
    version = models.PositiveIntegerField(_("version"), default=0, editable=False)
    # When the reading that was saved last began, by Stripe's clock. Earlier events are covered.
    read_at = models.DateTimeField(_("read from Stripe at"), null=True, blank=True, editable=False)
    # When the reading that is running now began, by our clock.
    reading_since = models.DateTimeField(
        _("reading from Stripe since"), null=True, blank=True, editable=False
    )
    due_at = models.DateTimeField(
        _("next work due at"),
        null=True,
        blank=True,
        db_index=True,
        editable=False,
        db_column="look_at",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    opened_at = models.DateTimeField(
        _("opened at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the session of this attempt was created."),
    )

    class Meta:
        verbose_name = _("checkout")
        verbose_name_plural = _("checkouts")
        indexes = [
            models.Index(fields=["opened_at"], name="checkout_opened"),
            models.Index(fields=["friend"], condition=~Q(friend=""), name="checkout_of_friend"),
            models.Index(fields=["-created_at", "-id"], name="checkout_newest"),
            models.Index(
                fields=["campaign", "-created_at", "-id"], name="checkout_newest_in_campaign"
            ),
            models.Index(
                fields=["status", "-created_at", "-id"],
                condition=~Q(status="paid"),
                name="checkout_newest_unpaid",
            ),
            models.Index(
                fields=["kind", "-created_at", "-id"],
                condition=Q(kind="contribution"),
                name="checkout_contribution",
            ),
            models.Index(fields=["email"], name="checkout_email"),
            models.Index(
                fields=["customer_id"], condition=~Q(customer_id=""), name="checkout_customer"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["starting", "expired"])
                | Q(session_id__isnull=False)
                | Q(subscription_id__isnull=False),
                name="checkout_has_session_once_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.id}"

    def move_to(self, status: Status) -> None:
        """Change the state of a locked Checkout without saving it; raises ForbiddenMove."""
        check_move(self.MOVES, old=self.status, new=status)
        self.status = status

    def announces(self, paid_at: datetime) -> bool:
        """Return whether e-mails are sent about a payment: not about one before an adoption."""
        return self.subscription_id is None or paid_at >= self.created_at

    @property
    def idempotency_key(self) -> str:
        return f"checkout-{self.id}-{self.attempt}"

    @property
    def quantity(self) -> int:
        """The number bought at this price: one, or one for each gift."""
        return len(self.typed.get("gifts", [])) or 1

    @property
    def terms(self) -> Price | Terms:
        """The price, with the amount that the reader chose if it is open."""
        return self.price.at_amount(self.amount_minor)

    @property
    def is_complete(self) -> bool:
        """True if the reader has finished at Stripe, so that no other session can start."""
        return self.status in {self.Status.WAITING, self.Status.PAID, self.Status.FAILED}
