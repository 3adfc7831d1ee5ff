import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("seq", models.BigAutoField(primary_key=True, serialize=False)),
                ("stripe_id", models.CharField(max_length=255, unique=True)),
                ("type", models.CharField(db_index=True, max_length=100)),
                ("created", models.BigIntegerField()),
                ("body", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="Fault",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("target", models.CharField(max_length=10)),
                ("match", models.CharField(max_length=255)),
                ("kind", models.CharField(max_length=20)),
                ("seconds", models.FloatField(default=0)),
                ("status", models.IntegerField(default=500)),
                ("times", models.IntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                ("key", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=64)),
                ("request_id", models.CharField(max_length=64)),
                ("status", models.IntegerField()),
                ("answer", models.TextField()),
                ("created", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="SandboxState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("frozen_at", models.BigIntegerField(null=True)),
                ("offset", models.BigIntegerField(default=0)),
                ("webhook_url", models.TextField(default="")),
                ("webhook_secret", models.TextField(default="")),
                ("outcome_after_retries", models.TextField(default="cancel")),
                ("rates", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="BookEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("charge", "Charge"),
                            ("refund", "Refund"),
                            ("refund_failure", "Refund Failure"),
                            ("dispute", "Dispute"),
                            ("dispute_reversal", "Dispute Reversal"),
                        ],
                        max_length=20,
                    ),
                ),
                ("at", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField()),
                ("source", models.CharField(max_length=255)),
                ("balance_transaction", models.CharField(max_length=255)),
            ],
            options={
                "indexes": [models.Index(fields=["currency", "kind"], name="by_currency")],
            },
        ),
        migrations.CreateModel(
            name="StripeObject",
            fields=[
                ("seq", models.BigAutoField(primary_key=True, serialize=False)),
                ("stripe_id", models.CharField(max_length=255, unique=True)),
                ("object", models.CharField(max_length=64)),
                ("created", models.BigIntegerField()),
                ("due_at", models.BigIntegerField(null=True)),
                ("customer", models.CharField(default="", max_length=255)),
                ("subscription", models.CharField(default="", max_length=255)),
                ("invoice", models.CharField(default="", max_length=255)),
                ("payment_intent", models.CharField(default="", max_length=255)),
                ("charge", models.CharField(default="", max_length=255)),
                ("source", models.CharField(default="", max_length=255)),
                ("body", models.JSONField()),
                ("notes", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["object", "seq"], name="by_object"),
                    models.Index(
                        condition=models.Q(("customer", ""), _negated=True),
                        fields=["customer"],
                        name="by_customer",
                    ),
                    models.Index(
                        condition=models.Q(("subscription", ""), _negated=True),
                        fields=["subscription"],
                        name="by_subscription",
                    ),
                    models.Index(
                        condition=models.Q(("invoice", ""), _negated=True),
                        fields=["invoice"],
                        name="by_invoice",
                    ),
                    models.Index(
                        condition=models.Q(("payment_intent", ""), _negated=True),
                        fields=["payment_intent"],
                        name="by_intent",
                    ),
                    models.Index(
                        condition=models.Q(("charge", ""), _negated=True),
                        fields=["charge"],
                        name="by_charge",
                    ),
                    models.Index(
                        condition=models.Q(("source", ""), _negated=True),
                        fields=["source"],
                        name="by_source",
                    ),
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="by_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("url", models.TextField()),
                ("secret", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("held", "Held"),
                            ("dropped", "Dropped"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("position", models.FloatField()),
                ("next_attempt_at", models.FloatField()),
                ("attempts", models.IntegerField(default=0)),
                ("planned_failures", models.IntegerField(default=0)),
                ("waits_for_next", models.BooleanField(default=False)),
                ("answers", models.JSONField(default=list)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="sandbox.event",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["state", "next_attempt_at"], name="by_state")],
            },
        ),
    ]
