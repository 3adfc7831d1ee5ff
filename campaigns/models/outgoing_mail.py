from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.address_change import AddressChange
from campaigns.models.checkout import Checkout
from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.due import DueModel
from campaigns.models.gift import Gift
from campaigns.models.member import Member
from campaigns.models.membership import Membership
from campaigns.models.payment import Dispute, Payment
from campaigns.models.problem import Problem
from campaigns.models.report_message import ReportMessage
from campaigns.models.report_receiver import ReportMail
from campaigns.models.sign_in import SignInLink
from campaigns.models.subscription import Subscription


class OutgoingMail(DueModel):
    """An e-mail that must not be lost: it is due until the mail provider has accepted it.

    A job claims it by moving `due_at` ahead (the lease). So neither a crash nor a lost
    broker loses it.
    """

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("receipt")
        WELCOME = "welcome", _("welcome")
        GIFT_BOUGHT = "gift_bought", _("gift bought")
        GIFT_INVITATION = "gift_invitation", _("gift, to its recipient")
        GIFT_TO_PASS_ON = "gift_to_pass_on", _("gift to pass on, to its buyer")
        GIFT_DELIVERED = "gift_delivered", _("gifts delivered")
        GIFT_BOUNCED = "gift_bounced", _("gift bounced, to its buyer")
        GIFT_BOUNCED_STAFF = "gift_bounced_staff", _("gift bounced, to staff")
        GIFT_REMINDER = "gift_reminder", _("unclaimed gift, reminder to its recipient")
        GIFT_UNCLAIMED = "gift_unclaimed", _("unclaimed gift, reminder to its buyer")
        GIFT_EXPIRING = "gift_expiring", _("gift about to expire, to its buyer")
        GIFT_CONFIRM = "gift_confirm", _("request to confirm a claim")
        GIFT_CLAIMED = "gift_claimed", _("gift claimed")
        GIFT_ENDING = "gift_ending", _("gift membership about to end")
        SIGN_IN = "sign_in", _("sign-in link")
        UNFINISHED = "unfinished", _("unfinished payment, reminder")
        RENEWAL = "renewal", _("yearly renewal, reminder")
        REWARD = "reward", _("months for friends")
        PAST_DUE = "past_due", _("failed renewal")
        LAPSED = "lapsed", _("lapsed membership")
        ADDRESS_OLD = "address_old", _("address change, to the old address")
        ADDRESS_NEW = "address_new", _("address change, to the new address")
        ADDRESS_CHANGED = "address_changed", _("address changed")
        ERASURE = "erasure", _("data being erased")
        NEWSLETTER = "newsletter", _("request to confirm newsletters")
        REFUNDED = "refunded", _("refund by staff")
        GRANTED = "granted", _("granted membership")
        OFFLINE = "offline", _("offline payment")
        CANCELLED = "cancelled", _("subscription cancelled by staff")
        ENDED = "ended", _("membership ended by staff")
        DISPUTE = "dispute", _("dispute, to staff")
        PROBLEM = "problem", _("technical problem, to staff")
        REPORT = "report", _("campaign report, to staff")

    key = models.CharField(_("key"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=24, choices=Kind)
    checkout = models.ForeignKey(
        Checkout, on_delete=models.CASCADE, verbose_name=_("checkout"), null=True, blank=True
    )
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name=_("member"), null=True, blank=True
    )
    sign_in = models.ForeignKey(
        SignInLink, on_delete=models.CASCADE, verbose_name=_("sign-in link"), null=True, blank=True
    )
    address_change = models.ForeignKey(
        AddressChange,
        on_delete=models.CASCADE,
        verbose_name=_("address change"),
        null=True,
        blank=True,
    )
    dispute = models.ForeignKey(
        Dispute, on_delete=models.CASCADE, verbose_name=_("dispute"), null=True, blank=True
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.CASCADE, verbose_name=_("payment"), null=True, blank=True
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, verbose_name=_("membership"), null=True, blank=True
    )
    gift = models.ForeignKey(
        Gift, on_delete=models.CASCADE, verbose_name=_("gift"), null=True, blank=True
    )
    # One of those that a reader asked for at once.
    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.CASCADE,
        verbose_name=_("newsletter subscription"),
        null=True,
        blank=True,
    )
    problem = models.ForeignKey(
        Problem,
        on_delete=models.CASCADE,
        verbose_name=_("problem"),
        null=True,
        blank=True,
        db_index=False,
    )
    report_message = models.ForeignKey(
        ReportMessage,
        on_delete=models.SET_NULL,
        verbose_name=_("report message"),
        null=True,
        blank=True,
        db_index=False,
    )
    report_mail = models.ForeignKey(
        ReportMail,
        on_delete=models.SET_NULL,
        verbose_name=_("reports by e-mail"),
        null=True,
        blank=True,
        db_index=False,
    )
    # What staff wrote to the reader about a change that they made.
    message = models.TextField(_("message"), blank=True, default="", db_default="")
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    due_at = models.DateTimeField(
        _("next attempt at"),
        null=True,
        blank=True,
        default=timezone.now,
        db_column="next_attempt_at",
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    # When we stopped trying: the provider rejected it, or didn't accept it for days.
    failed_at = models.DateTimeField(_("failed at"), null=True, blank=True)
    provider_id = models.CharField(
        _("ID at the mail provider"), max_length=255, blank=True, default="", db_default=""
    )
    bounced_at = models.DateTimeField(_("bounced at"), null=True, blank=True)
    # When the failure was reported to the buyer or the staff, who can correct the address.
    told_at = models.DateTimeField(_("failure reported at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="mail_newest"),
            models.Index(fields=["kind", "-created_at", "-id"], name="mail_newest_of_kind"),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(bounced_at__isnull=False),
                name="mail_newest_bounced",
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(failed_at__isnull=False),
                name="mail_newest_failed",
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(sent_at__isnull=True),
                name="mail_newest_unsent",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="outgoing_mail_due",
            ),
            models.Index(
                fields=["provider_id"],
                condition=~Q(provider_id=""),
                name="outgoing_mail_of_provider",
            ),
            models.Index(
                fields=["kind"],
                condition=Q(told_at__isnull=True)
                & (Q(bounced_at__isnull=False) | Q(failed_at__isnull=False)),
                name="outgoing_mail_untold",
            ),
        ]

    def __str__(self) -> str:
        return self.key


# The kinds of rows that an e-mail can be about, and the field of the member they belong to.
_OWNERS: dict[str, tuple[type[models.Model], str]] = {
    "payment": (Payment, "member"),
    "membership": (Membership, "member"),
    "checkout": (Checkout, "member"),
    "gift": (Gift, "buyer"),
}


def is_about(row: str, *, of: Iterable[int], most: int | None = None) -> Q:
    """Return what finds e-mails about a kind of row that belongs to these members.

    `row` is "payment", "membership", "checkout", or "gift" for gifts that they bought. The rows are
    looked up first, at most `most` of them: an index then finds the e-mails, where a condition on
    joined tables would read every e-mail.
    """
    model, owner = _OWNERS[row]
    rows = model._default_manager.filter(**{f"{owner}__in": of}).order_by()
    return Q(**{f"{row}__in": list(rows.values_list("pk", flat=True)[:most])})
