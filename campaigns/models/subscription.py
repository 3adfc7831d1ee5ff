"""Subscriptions to newsletters, with the proof that the reader agreed."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.newsletter import Newsletter
from campaigns.models.origin import HasOrigin


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def of(self, address: str) -> "SubscriptionQuerySet":
        """Return the subscriptions of a canonical address, in the order of their newsletters."""
        own = self.filter(email=address).select_related("newsletter")
        return own.order_by("newsletter__position", "newsletter")

    def pending(self) -> "SubscriptionQuerySet":
        return self.filter(status=Subscription.Status.PENDING)

    def confirmed(self) -> "SubscriptionQuerySet":
        return self.filter(status=Subscription.Status.CONFIRMED)


class Subscription(HasOrigin):
    """An address that asked for a newsletter; only a confirmed one gets it.

    The consent is what a reader agreed to last: its words, its time and the page with the form.
    `campaigns/newsletters/changes.py` has the one function for each change of the status.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("not confirmed yet")
        CONFIRMED = "confirmed", _("subscribed")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")

    MOVES = {
        Status.PENDING: {Status.CONFIRMED, Status.UNSUBSCRIBED},
        Status.CONFIRMED: {Status.UNSUBSCRIBED},
        Status.UNSUBSCRIBED: {Status.PENDING, Status.CONFIRMED},
    }

    class Proof(models.TextChoices):
        """The way in which the address was confirmed."""

        LINK = "link", _("link in an e-mail")
        ACCOUNT = "account", _("account page, after signing in")
        EARLIER = "earlier", _("order form of an earlier version, without a confirmation")

    class Cause(models.TextChoices):
        """Why a subscription ended."""

        READER = "reader", _("unsubscribed by the reader")
        STAFF = "staff", _("unsubscribed by staff")
        TOOL = "tool", _("unsubscribed at the mailing tool")
        BOUNCE = "bounce", _("bounced")
        COMPLAINT = "complaint", _("reported as spam")

    newsletter = models.ForeignKey(
        Newsletter,
        on_delete=models.PROTECT,
        verbose_name=_("newsletter"),
        related_name="subscriptions",
    )
    email = models.EmailField(_("e-mail"), max_length=254)
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.PENDING, editable=False
    )
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
    )
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.SET_NULL,
        verbose_name=_("campaign"),
        null=True,
        blank=True,
        related_name="subscriptions",
    )
    consent_wording = models.TextField(_("consent text"), blank=True)
    form_url = models.CharField(_("page with the form"), max_length=800, blank=True)
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    proof = models.CharField(_("confirmed by"), max_length=8, choices=Proof, blank=True)
    ended_at = models.DateTimeField(_("unsubscribed at"), null=True, blank=True)
    cause = models.CharField(_("reason"), max_length=10, choices=Cause, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("newsletter subscription")
        verbose_name_plural = _("newsletter subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["email", "newsletter"], name="subscription_once"),
            models.CheckConstraint(
                condition=(
                    Q(status="pending", confirmed_at=None)
                    | Q(status="confirmed", confirmed_at__isnull=False, ended_at=None)
                    | Q(status="unsubscribed", ended_at__isnull=False)
                ),
                name="subscription_times_fit_status",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "requested_at"], name="subscription_of_campaign"),
            models.Index(fields=["-requested_at", "-id"], name="subscription_newest"),
            models.Index(
                fields=["requested_at"],
                condition=Q(status="pending"),
                name="subscription_unconfirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"
