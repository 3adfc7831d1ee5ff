"""Outgoing webhooks, and the access that other systems were told."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import campaigns.models.webhook

# Their access is noted by a job; until then nothing is told of them.
KNOWN = """
INSERT INTO campaigns_memberaccess (member_id, state, source, due_at)
SELECT DISTINCT member_id, '', '', CURRENT_TIMESTAMP FROM campaigns_membership
"""
MODELS = ("webhookendpoint", "webhookdelivery", "outgoingevent", "memberaccess")


def grant_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let administrators set up webhooks and resend deliveries."""
    config: Any = apps.get_app_config("campaigns")
    config.models_module = True  # otherwise its permissions would be made after all migrations
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    group: Any
    for group in apps.get_model("auth", "Group").objects.filter(name="administrator"):
        group.permissions.add(
            *permissions.filter(content_type__app_label="campaigns", content_type__model__in=MODELS)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0026_digests"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80, unique=True, verbose_name="name")),
                (
                    "url",
                    models.CharField(
                        help_text="It starts with https://.",
                        max_length=2000,
                        verbose_name="address",
                    ),
                ),
                ("events", models.JSONField(default=list, verbose_name="events")),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="An endpoint that is off gets no events, and none are kept for it.",
                        verbose_name="on",
                    ),
                ),
                (
                    "secret",
                    models.CharField(
                        default=campaigns.models.webhook.make_webhook_secret,
                        editable=False,
                        max_length=100,
                        verbose_name="secret",
                    ),
                ),
                (
                    "old_secret",
                    models.CharField(
                        blank=True,
                        default="",
                        editable=False,
                        max_length=100,
                        verbose_name="old secret",
                    ),
                ),
                (
                    "old_secret_until",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="old secret signs until"
                    ),
                ),
                (
                    "failing_since",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="failing since"
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="failures in a row"
                    ),
                ),
                (
                    "rests_until",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="next attempt at"
                    ),
                ),
                (
                    "paused_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="paused at"
                    ),
                ),
                (
                    "paused_for",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("failing", "it failed for three days"),
                            ("gone", "it answered that it doesn’t exist any more (410)"),
                        ],
                        default="",
                        editable=False,
                        max_length=7,
                        verbose_name="reason for the pause",
                    ),
                ),
                (
                    "busy_until",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="busy until"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook endpoint",
                "verbose_name_plural": "webhook endpoints",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="OutgoingEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message_id",
                    models.CharField(
                        default=campaigns.models.webhook._make_message_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                        verbose_name="message ID",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        blank=True, max_length=300, null=True, unique=True, verbose_name="key"
                    ),
                ),
                ("type", models.CharField(max_length=40, verbose_name="event")),
                ("data", models.JSONField(default=dict, verbose_name="data")),
                (
                    "happened_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="happened at"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outgoing_events",
                        to="campaigns.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook event",
                "verbose_name_plural": "webhook events",
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        blank=True,
                        default=django.utils.timezone.now,
                        null=True,
                        verbose_name="next attempt at",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                (
                    "attempted_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last attempt at"),
                ),
                (
                    "delivered_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="delivered at"),
                ),
                (
                    "failed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="given up at"),
                ),
                (
                    "status",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="status of the answer"
                    ),
                ),
                ("answer", models.TextField(blank=True, default="", verbose_name="answer")),
                (
                    "error",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="error"),
                ),
                (
                    "milliseconds",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="duration in ms"
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="campaigns.outgoingevent",
                        verbose_name="event",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_deliveries",
                        to="campaigns.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="campaigns.webhookendpoint",
                        verbose_name="endpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.CreateModel(
            name="MemberAccess",
            fields=[
                (
                    "due_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="next work due at"
                    ),
                ),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="access",
                        serialize=False,
                        to="campaigns.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not known yet"),
                            ("never", "not a member yet"),
                            ("active", "active"),
                            ("past_due", "past due"),
                            ("cancelled", "cancelled"),
                            ("ended", "ended"),
                        ],
                        default="",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="access until")),
                (
                    "renews_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="renews at"),
                ),
                (
                    "source",
                    models.CharField(blank=True, default="", max_length=12, verbose_name="source"),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="campaigns.plan",
                        verbose_name="plan",
                    ),
                ),
            ],
            options={
                "verbose_name": "access",
                "verbose_name_plural": "accesses",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="member_access_due",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="outgoingevent",
            index=models.Index(fields=["happened_at"], name="outgoing_event_age"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["endpoint", "due_at"],
                name="webhook_delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["endpoint", "member", "id"],
                name="webhook_delivery_open",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("failed_at__isnull", False)),
                fields=["failed_at"],
                name="webhook_delivery_failed",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "event"), name="webhook_delivered_once"
            ),
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop, elidable=True),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop, elidable=False),
    ]
