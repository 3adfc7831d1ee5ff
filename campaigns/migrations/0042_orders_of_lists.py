"""Indexes for filters and orders of lists that grow with the sales, made while they are in use.

Each begins with what is filtered, and goes on in the order of the list: a page of a rare value is
found without reading the others. The job "refund_states" fills in the new column of payments.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

AddIndexLive = import_module("campaigns.migrations.0032_lists_at_size").AddIndexLive
DropKeyIndexLive = import_module("campaigns.migrations.0040_indexes_of_webhooks").DropKeyIndexLive


class RemoveIndexLive(migrations.RemoveIndex):
    """Like RemoveIndex, but PostgreSQL goes on writing to the table meanwhile."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.name}"')
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("campaigns", "0041_newsletter_placement")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="refund_state",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=15,
                verbose_name="refund or dispute",
            ),
        ),
        # In the order of time and number, so that it sorts the list in both directions.
        RemoveIndexLive(model_name="payment", name="payment_amount"),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                fields=["amount_minor", "paid_at", "id"],
                name="payment_amount",
            ),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                fields=["campaign", "-paid_at", "-id"],
                name="payment_newest_in_campaign",
            ),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("refund_state", ""), _negated=True),
                fields=["refund_state", "-paid_at", "-id"],
                name="payment_refunded",
            ),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                condition=models.Q(
                    ("refund_state__in", ["partly_refunded", "disputed", "lost"]), ("role", "gift")
                ),
                fields=["id"],
                name="payment_of_gifts_refunded",
            ),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("status", "succeeded"), _negated=True),
                fields=["status", "-paid_at", "-id"],
                name="payment_unfinished",
            ),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("role__in", ["change", "contribution"])),
                fields=["role", "-paid_at", "-id"],
                name="payment_rare_role",
            ),
        ),
        AddIndexLive(
            model_name="refund",
            index=models.Index(
                fields=["-refunded_at", "-id"],
                name="refund_newest",
            ),
        ),
        AddIndexLive(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("status", "succeeded"), _negated=True),
                fields=["status", "-refunded_at", "-id"],
                name="refund_unfinished",
            ),
        ),
        AddIndexLive(
            model_name="dispute",
            index=models.Index(
                fields=["-opened_at", "-id"],
                name="dispute_newest",
            ),
        ),
        AddIndexLive(
            model_name="member",
            index=models.Index(
                fields=["name", "created_at", "id"],
                name="member_name",
            ),
        ),
        AddIndexLive(
            model_name="membership",
            index=models.Index(
                fields=["plan", "-started_at", "-id"],
                name="membership_newest_of_plan",
            ),
        ),
        AddIndexLive(
            model_name="membership",
            index=models.Index(
                condition=models.Q(("status", "active"), _negated=True),
                fields=["status", "-started_at", "-id"],
                name="membership_newest_inactive",
            ),
        ),
        AddIndexLive(
            model_name="membership",
            index=models.Index(
                condition=models.Q(("source", "subscription"), _negated=True),
                fields=["source", "-started_at", "-id"],
                name="membership_newest_unpaid",
            ),
        ),
        AddIndexLive(
            model_name="membership",
            index=models.Index(
                fields=["ends_at", "started_at", "id"],
                name="membership_end",
            ),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(
                fields=["code_hint"],
                name="gift_code_hint",
            ),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(
                fields=["status", "-paid_at", "-id"],
                name="gift_newest_in_status",
            ),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(
                fields=["expires_at", "paid_at", "id"],
                name="gift_expiry",
            ),
        ),
        AddIndexLive(
            model_name="checkout",
            index=models.Index(
                fields=["campaign", "-created_at", "-id"],
                name="checkout_newest_in_campaign",
            ),
        ),
        AddIndexLive(
            model_name="checkout",
            index=models.Index(
                condition=models.Q(("status", "paid"), _negated=True),
                fields=["status", "-created_at", "-id"],
                name="checkout_newest_unpaid",
            ),
        ),
        AddIndexLive(
            model_name="checkout",
            index=models.Index(
                condition=models.Q(("kind", "contribution")),
                fields=["kind", "-created_at", "-id"],
                name="checkout_contribution",
            ),
        ),
        AddIndexLive(
            model_name="outgoingmail",
            index=models.Index(
                fields=["kind", "-created_at", "-id"],
                name="mail_newest_of_kind",
            ),
        ),
        AddIndexLive(
            model_name="outgoingmail",
            index=models.Index(
                condition=models.Q(("bounced_at__isnull", False)),
                fields=["-created_at", "-id"],
                name="mail_newest_bounced",
            ),
        ),
        AddIndexLive(
            model_name="outgoingmail",
            index=models.Index(
                condition=models.Q(("failed_at__isnull", False)),
                fields=["-created_at", "-id"],
                name="mail_newest_failed",
            ),
        ),
        AddIndexLive(
            model_name="outgoingmail",
            index=models.Index(
                condition=models.Q(("sent_at__isnull", True)),
                fields=["-created_at", "-id"],
                name="mail_newest_unsent",
            ),
        ),
        AddIndexLive(
            model_name="stripeevent",
            index=models.Index(
                fields=["type", "-received_at", "-id"],
                name="stripe_event_newest_of_type",
            ),
        ),
        AddIndexLive(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("status", "done"), _negated=True),
                fields=["status", "-received_at", "-id"],
                name="stripe_event_newest_not_done",
            ),
        ),
        AddIndexLive(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("reason", ""), _negated=True),
                fields=["reason", "-received_at", "-id"],
                name="stripe_event_newest_not_ours",
            ),
        ),
        # The new indexes begin with these keys.
        DropKeyIndexLive(
            model_name="payment",
            name="campaign",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="campaigns.campaign",
                verbose_name="campaign",
            ),
        ),
        DropKeyIndexLive(
            model_name="checkout",
            name="campaign",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="checkouts",
                to="campaigns.campaign",
                verbose_name="campaign",
            ),
        ),
        DropKeyIndexLive(
            model_name="membership",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="campaigns.plan",
                verbose_name="plan",
            ),
        ),
    ]
