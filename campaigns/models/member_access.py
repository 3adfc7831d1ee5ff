from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.due import DueModel
from campaigns.models.member import Member
from campaigns.models.plan import Plan


class MemberAccess(DueModel):
    """The access of a member as other systems last heard of it, over all of their memberships.

    `memberships/announcements.py` compares it with the memberships after each change. It is due
    when time alone changes the access: a membership begins or ends.
    """

    class State(models.TextChoices):
        # Members from before this table: no event until their access is known.
        UNKNOWN = "", _("not known yet")
        NEVER = "never", _("not a member yet")
        ACTIVE = "active", _("active")
        PAST_DUE = "past_due", _("past due")
        CANCELLED = "cancelled", _("cancelled")  # access until the end of the paid time
        ENDED = "ended", _("ended")

    WITH_ACCESS = (State.ACTIVE, State.PAST_DUE, State.CANCELLED)

    member = models.OneToOneField(
        Member,
        on_delete=models.CASCADE,
        verbose_name=_("member"),
        primary_key=True,
        related_name="access",
    )
    state = models.CharField(_("state"), max_length=9, choices=State, blank=True, default="")
    until = models.DateTimeField(_("access until"), null=True, blank=True)
    renews_at = models.DateTimeField(_("renews at"), null=True, blank=True)
    plan = models.ForeignKey(
        Plan,
        on_delete=models.SET_NULL,
        verbose_name=_("plan"),
        null=True,
        blank=True,
        related_name="+",
    )
    # The source of a membership: campaigns.models.Membership.Source.
    source = models.CharField(_("source"), max_length=12, blank=True, default="")

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("access of members")
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="member_access_due",
            )
        ]

    def __str__(self) -> str:
        return f"access of member {self.pk}"
