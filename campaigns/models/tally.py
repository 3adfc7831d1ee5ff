from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.models.gift import Gift
from campaigns.models.member import Member
from campaigns.models.payment import Payment
from campaigns.money import format_money


class TallyQuerySet(models.QuerySet["Tally"]):
    def counting_at(self, moment: datetime) -> "TallyQuerySet":
        """Return the tallies whose interval `[counted_from, counted_until)` contains `moment`."""
        return self.filter(counted_from__lte=moment).filter(
            Q(counted_until__isnull=True) | Q(counted_until__gt=moment)
        )


class Tally(models.Model):
    """One counted member: a person or a gift, and the interval in which it counts."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="tallies"
    )
    member = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        verbose_name=_("member"),
        null=True,
        blank=True,
        related_name="tallies",
    )
    gift = models.ForeignKey(
        Gift,
        on_delete=models.PROTECT,
        verbose_name=_("gift"),
        null=True,
        blank=True,
        related_name="tallies",
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, verbose_name=_("payment"), related_name="tallies"
    )
    counted_from = models.DateTimeField(_("counted from"))
    counted_until = models.DateTimeField(_("counted until"), null=True, blank=True)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("counted sign-up")
        verbose_name_plural = _("counted sign-ups")
        indexes = [
            # Covers every column that counting needs, so that it reads no rows.
            models.Index(
                fields=["campaign", "counted_from", "counted_until", "gift", "member"],
                name="tally_of_campaign",
            ),
            models.Index(
                fields=["campaign", "counted_until"],
                condition=Q(counted_until__isnull=False),
                name="tally_stopped",
            ),
            models.Index(fields=["-counted_from", "-id"], name="tally_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(member__isnull=False, gift__isnull=True)
                | Q(member__isnull=True, gift__isnull=False),
                name="tally_person_or_gift",
            ),
            models.CheckConstraint(
                condition=Q(counted_until__isnull=True) | Q(counted_until__gt=F("counted_from")),
                name="tally_until_after_from",
            ),
            models.UniqueConstraint(
                fields=["campaign", "member", "counted_from"], name="tally_person_once_a_moment"
            ),
            models.UniqueConstraint(
                fields=["campaign", "member"],
                condition=Q(counted_until__isnull=True),
                name="tally_person_counts_once",
            ),
            models.UniqueConstraint(
                fields=["campaign", "gift", "counted_from"], name="tally_gift_once_a_moment"
            ),
            models.UniqueConstraint(
                fields=["campaign", "gift"],
                condition=Q(counted_until__isnull=True),
                name="tally_gift_counts_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign}: {self.member or self.gift}"


class PublishedNumber(models.Model):
    """A count as it was shown to readers; it never changes afterwards."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="published"
    )
    published_at = models.DateTimeField(_("published at"))
    counted = models.BigIntegerField(_("counted"))
    target = models.PositiveBigIntegerField(_("target"))
    # The unit of both numbers; empty if it was not recorded yet.
    kind = models.CharField(_("kind"), max_length=12, blank=True, default="", db_default="")
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("published count")
        verbose_name_plural = _("published counts")
        indexes = [models.Index(fields=["campaign", "published_at"], name="published_number_at")]

    def __str__(self) -> str:
        if self.currency:
            counted = format_money(self.counted, self.currency)
            return f"{counted} of {format_money(self.target, self.currency)}"
        return f"{self.counted} of {self.target}"
