"""A person's access, for staff: in a word or two, and in one sentence."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext

from campaigns import memberships
from campaigns.dates import write_short_day
from campaigns.models import Member


def show_standing(member: Member, *, at: datetime) -> str:
    """Return the same in a word or two, for a list."""
    if not memberships.has_access(member, at):
        return format_html('<span class="desk-quiet">{}</span>', gettext("not active"))
    until = memberships.access_until(member, at)
    if until is None:
        return gettext("renews")
    return gettext("until %(day)s") % {"day": write_short_day(timezone.localdate(until))}


def describe_standing(member: Member, *, at: datetime) -> str:
    """Return whether the person has access at `at`, and until when."""
    if not memberships.has_access(member, at):
        return gettext("No active membership.")
    until = memberships.access_until(member, at)
    if until is None:
        return gettext("Active member. The membership renews.")
    day = date_format(timezone.localtime(until), "j E Y")
    return gettext("Active member until %(day)s.") % {"day": day}
