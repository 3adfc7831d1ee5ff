"""Clear rows from "Needs attention" that staff have dealt with."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from campaigns.reports.attention import CONCERNS


def mark_dealt_with(rows: QuerySet[Any], *, by: User) -> list[Any]:
    """Note who dealt with the rows that need attention and can be cleared; return them."""
    marked = []
    for concern in CONCERNS:
        if concern.can_clear and concern.model is rows.model:
            marked += list(concern.narrow(rows.all()))
    rows.model._default_manager.filter(pk__in=[row.pk for row in marked]).update(
        dealt_with_at=timezone.now(), dealt_with_by=by
    )
    return marked
