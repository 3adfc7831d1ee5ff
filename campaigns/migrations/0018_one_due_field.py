"""Give the due time of every model the field name `due_at`; the columns keep their names.

Only Django's state changes. No statement is sent to the database, so the previous release keeps
working beside this one.
"""

from typing import Any

import django.utils.timezone
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

# Model, old field name, column, index.
LABELLED_WORK = [
    ("checkout", "settle_at", "look_at", None),
    ("gift", "next_step_at", "next_step_at", "gift_step_due"),
    ("member", "tell_stripe_at", "tell_stripe_at", "member_stripe_to_be_told"),
    ("membership", "push_at", "push_at", "membership_push_due"),
    ("stripesale", "adopt_at", "adopt_at", None),
]
ATTEMPTS = [
    ("erasure", "erasure_due"),
    ("outgoingmail", "outgoing_mail_due"),
    ("refundorder", "refund_order_due"),
    ("stripeevent", "stripe_event_due"),
]
IS_DUE = models.Q(due_at__isnull=False)
CONSTRAINTS = {
    "erasure": models.CheckConstraint(
        condition=models.Q(done_at__isnull=True) | models.Q(due_at__isnull=True),
        name="erasure_due_until_done",
    ),
    "stripeevent": models.CheckConstraint(
        condition=models.Q(due_at__isnull=False, status__in=["new", "failed"])
        | models.Q(due_at__isnull=True, status__in=["done", "ignored"]),
        name="stripe_event_due_until_worked_on",
    ),
}


def rename(model: str, old: str, index: str | None, **field: Any) -> list[Operation]:
    operations: list[Operation] = []
    if model in CONSTRAINTS:
        operations.append(migrations.RemoveConstraint(model, CONSTRAINTS[model].name))
    if index:
        operations.append(migrations.RemoveIndex(model, index))
    due_at = models.DateTimeField(blank=True, null=True, **field)
    operations += [
        migrations.RenameField(model, old, "due_at"),
        migrations.AlterField(model, "due_at", due_at),
    ]
    if index:
        due_index = models.Index(fields=["due_at"], condition=IS_DUE, name=index)
        operations.append(migrations.AddIndex(model, due_index))
    if model in CONSTRAINTS:
        operations.append(migrations.AddConstraint(model, CONSTRAINTS[model]))
    return operations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0017_sold_at_stripe")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                operation
                for model, old, column, index in LABELLED_WORK
                for operation in rename(
                    model,
                    old,
                    index,
                    db_column=column,
                    db_index=index is None,
                    editable=False,
                    verbose_name="next work due at",
                )
            ]
            + [
                operation
                for model, index in ATTEMPTS
                for operation in rename(
                    model,
                    "next_attempt_at",
                    index,
                    db_column="next_attempt_at",
                    default=django.utils.timezone.now,
                    verbose_name="next attempt at",
                )
            ]
        )
    ]
