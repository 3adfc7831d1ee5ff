"""A person's access, said in one sentence for staff."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from campaigns import memberships
from campaigns.models import Member


def describe_standing(member: Member, *, at: datetime) -> str:
    """Return whether the person has access at `at`, and until when."""
    if not memberships.has_access(member, at):
        return gettext("No active membership.")
    until = memberships.access_until(member, at)
    if until is None:
        return gettext("Active member. The membership renews.")
    day = date_format(timezone.localtime(until), "j E Y")
    return gettext("Active member until %(day)s.") % {"day": day}
