"""Due rows: work that a job has to do later, and the one way in which a worker claims a row.

A model with due work has a column that says when its next work is due, or that none is (null). A
worker claims a row by moving that time ahead by a lease. If the worker dies, the row is due again
when the lease ends, so neither a crash nor a lost broker loses work.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models, transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Work on one row takes less: every server that it asks has a shorter time limit.
LEASE = timedelta(seconds=40)
# Rows to try on a database that can't skip rows that other workers have locked.
_CANDIDATES = 20


class DueModel(models.Model):
    """A model whose rows a job works on: `due_at` says when next, or null if there is no work.

    The columns keep the names that they had before all models shared one field name.
    """

    due_at = models.DateTimeField(_("next work due at"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True


def select_due(rows: QuerySet[Any], *, at: datetime) -> QuerySet[Any]:
    """Return the rows whose work is due at `at`, the longest due first."""
    return rows.filter(due_at__lte=at).order_by("due_at", "pk")


def claim_row(rows: QuerySet[Any], *, lease: timedelta = LEASE, at: datetime | None = None) -> Any:
    """Claim the row that has been due longest; return its primary key, or None if none is due.

    `at` is the time by which it has to be due; the lease begins now. A row that another worker has
    claimed or locked is passed over. Counts the attempt if the model has a column for it.
    """
    now = timezone.now()
    due = select_due(rows, at=at or now)
    changes: dict[str, Any] = {"due_at": now + lease}
    if _counts_attempts(rows.model):
        changes["attempts"] = F("attempts") + 1
    if connection.features.has_select_for_update_skip_locked:
        with transaction.atomic():
            pk = _lock_first(due)
            if pk is not None:
                rows.model._default_manager.filter(pk=pk).update(**changes)
        return pk
    for pk in list(due.values_list("pk", flat=True)[:_CANDIDATES]):
        if select_due(rows, at=at or now).order_by().filter(pk=pk).update(**changes):
            return pk
    return None


def _lock_first(due: QuerySet[Any]) -> Any:
    locked = due.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return locked.values_list("pk", flat=True).first()


def _counts_attempts(model: type[Model]) -> bool:
    try:
        model._meta.get_field("attempts")
    except FieldDoesNotExist:
        return False
    return True
