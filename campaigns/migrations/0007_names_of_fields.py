"""Rename fields in code; their columns keep the old names.

Only Django's state changes. No statement is sent to the database, so the previous release keeps
working beside this one.
"""

import django.db.models.deletion
from django.db import migrations, models

CLAIMED = models.CheckConstraint(
    condition=models.Q(
        models.Q(("status", "claimed"), _negated=True),
        models.Q(
            ("claimed_at__isnull", False),
            ("claimed_by__isnull", False),
            ("membership__isnull", False),
        ),
        _connector="OR",
    ),
    name="gift_claimed_by_somebody",
)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_times_without_access")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("gift", "gift_claimed_by_somebody"),
                migrations.RenameField("gift", "redeemer", "claimed_by"),
                migrations.AlterField(
                    "gift",
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="redeemer_id",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gifts_claimed",
                        to="campaigns.member",
                        verbose_name="claimed by",
                    ),
                ),
                migrations.AddConstraint("gift", CLAIMED),
                migrations.RenameField("gift", "fell_at", "reversed_at"),
                migrations.AlterField(
                    "gift",
                    "reversed_at",
                    models.DateTimeField(
                        blank=True,
                        db_column="fell_at",
                        null=True,
                        verbose_name="payment reversed at",
                    ),
                ),
                migrations.RenameField("gift", "is_kept", "is_pardoned"),
                migrations.AlterField(
                    "gift",
                    "is_pardoned",
                    models.BooleanField(
                        db_column="is_kept",
                        db_default=False,
                        default=False,
                        verbose_name="membership kept by staff",
                    ),
                ),
                migrations.RenameField("checkout", "look_at", "settle_at"),
                migrations.AlterField(
                    "checkout",
                    "settle_at",
                    models.DateTimeField(
                        blank=True,
                        db_column="look_at",
                        db_index=True,
                        editable=False,
                        null=True,
                        verbose_name="settle at",
                    ),
                ),
                migrations.RenameField("campaign", "closed_numbers", "final_counts"),
                migrations.AlterField(
                    "campaign",
                    "final_counts",
                    models.JSONField(
                        blank=True,
                        db_column="closed_numbers",
                        editable=False,
                        help_text="What each goal counted, by its kind.",
                        null=True,
                        verbose_name="final counts",
                    ),
                ),
            ]
        ),
    ]
