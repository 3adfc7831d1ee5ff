"""Indexes for lists and searches over a million rows, made while the application is in use.

PostgreSQL builds them without locking the tables. Parts of names are found by trigrams, if the
database user may add the extension pg_trgm; otherwise the search reads all names, as before.
"""

from django.apps.registry import Apps
from django.db import DatabaseError, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

TRIGRAMS = (
    ("member_name_parts", "campaigns_member", "name"),
    ("member_email_parts", "campaigns_member", "email"),
    ("gift_recipient_parts", "campaigns_gift", "recipient_name"),
    ("gift_buyer_parts", "campaigns_gift", "buyer_name"),
    ("checkout_name_parts", "campaigns_checkout", "name"),
)


class AddIndexLive(migrations.AddIndex):
    """Like AddIndex, but PostgreSQL goes on writing to the table meanwhile."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        # An interrupted build leaves an invalid index of this name.
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        schema_editor.execute(self.index.create_sql(model, schema_editor, concurrently=True))


def index_parts_of_names(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return
    for name, table, column in TRIGRAMS:
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
        schema_editor.execute(
            f'CREATE INDEX CONCURRENTLY "{name}" ON "{table}" '
            f'USING gin (UPPER("{column}"::text) gin_trgm_ops)'
        )


def drop_parts_of_names(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for name, _table, _column in TRIGRAMS:
            schema_editor.execute(f'DROP INDEX IF EXISTS "{name}"')


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("campaigns", "0031_contributions_and_reminders"),
    ]

    operations = [
        AddIndexLive(
            model_name="checkout",
            index=models.Index(fields=["opened_at"], name="checkout_opened"),
        ),
        AddIndexLive(
            model_name="checkout",
            index=models.Index(
                condition=models.Q(("friend", ""), _negated=True),
                fields=["friend"],
                name="checkout_of_friend",
            ),
        ),
        AddIndexLive(
            model_name="checkout",
            index=models.Index(fields=["-created_at", "-id"], name="checkout_newest"),
        ),
        AddIndexLive(
            model_name="checkout",
            index=models.Index(fields=["email"], name="checkout_email"),
        ),
        AddIndexLive(
            model_name="checkout",
            index=models.Index(
                condition=models.Q(("customer_id", ""), _negated=True),
                fields=["customer_id"],
                name="checkout_customer",
            ),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(fields=["-paid_at", "-id"], name="gift_newest"),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("claimed_at__isnull", False)),
                fields=["-claimed_at"],
                name="gift_newest_claim",
            ),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(fields=["recipient_email"], name="gift_recipient"),
        ),
        AddIndexLive(
            model_name="member",
            index=models.Index(fields=["-created_at", "-id"], name="member_newest"),
        ),
        AddIndexLive(
            model_name="membership",
            index=models.Index(fields=["-started_at", "-id"], name="membership_newest"),
        ),
        AddIndexLive(
            model_name="outgoingmail",
            index=models.Index(fields=["-created_at", "-id"], name="mail_newest"),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(fields=["-paid_at", "-id"], name="payment_newest"),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(fields=["amount_minor", "paid_at"], name="payment_amount"),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("invoice_id", ""), _negated=True),
                fields=["invoice_id"],
                name="payment_invoice",
            ),
        ),
        AddIndexLive(
            model_name="stripeevent",
            index=models.Index(fields=["-received_at", "-id"], name="stripe_event_newest"),
        ),
        AddIndexLive(
            model_name="stripeevent",
            index=models.Index(fields=["object_id"], name="stripe_event_object"),
        ),
        AddIndexLive(
            model_name="tally",
            index=models.Index(fields=["-counted_from", "-id"], name="tally_newest"),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("bounced_at__isnull", False)),
                fields=["bounced_at"],
                name="gift_bounced",
            ),
        ),
        AddIndexLive(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("reversed_at__isnull", False)),
                fields=["reversed_at"],
                name="gift_reversed",
            ),
        ),
        AddIndexLive(
            model_name="member",
            index=models.Index(
                condition=models.Q(("tell_stripe_error", ""), _negated=True),
                fields=["id"],
                name="member_stripe_refused",
            ),
        ),
        AddIndexLive(
            model_name="membership",
            index=models.Index(
                condition=models.Q(("push_error", ""), _negated=True),
                fields=["id"],
                name="membership_not_moved",
            ),
        ),
        migrations.RunPython(index_parts_of_names, drop_parts_of_names, elidable=False),
    ]
