"""Reports by e-mail and to chats, and milestones; with the permissions of the roles for them."""

from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import campaigns.models.copy
import campaigns.models.report_receiver

OF_REPORT_READERS = "view_reportmail add_reportmail change_reportmail"
OF_CHATS = "view_chatwebhook add_chatwebhook change_chatwebhook"
ROLES = {
    "report reader": [OF_REPORT_READERS],
    "publisher": [OF_REPORT_READERS],
    "campaign manager": [OF_REPORT_READERS, OF_CHATS],
    "supporter desk": [OF_REPORT_READERS],
    "finance": [OF_REPORT_READERS],
    "administrator": [OF_REPORT_READERS, OF_CHATS],
}


def extend_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    config: Any = apps.get_app_config("campaigns")
    config.models_module = True  # otherwise its permissions would be made after all migrations
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    group_model: Any = apps.get_model("auth", "Group")
    permissions = apps.get_model("auth", "Permission").objects
    ours = permissions.filter(content_type__app_label="campaigns")
    for name, parts in ROLES.items():
        # A role that was deleted or renamed stays so.
        for group in group_model.objects.filter(name=name):
            group.permissions.add(*ours.filter(codename__in=" ".join(parts).split()))


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0025_report_tokens"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="outgoingmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receipt", "receipt"),
                    ("welcome", "welcome"),
                    ("gift_bought", "gift bought"),
                    ("gift_invitation", "gift, to its recipient"),
                    ("gift_to_pass_on", "gift to pass on, to its buyer"),
                    ("gift_delivered", "gifts delivered"),
                    ("gift_bounced", "gift bounced, to its buyer"),
                    ("gift_bounced_staff", "gift bounced, to staff"),
                    ("gift_reminder", "unclaimed gift, reminder to its recipient"),
                    ("gift_unclaimed", "unclaimed gift, reminder to its buyer"),
                    ("gift_expiring", "gift about to expire, to its buyer"),
                    ("gift_confirm", "request to confirm a claim"),
                    ("gift_claimed", "gift claimed"),
                    ("gift_ending", "gift membership about to end"),
                    ("sign_in", "sign-in link"),
                    ("past_due", "failed renewal"),
                    ("lapsed", "lapsed membership"),
                    ("address_old", "address change, to the old address"),
                    ("address_new", "address change, to the new address"),
                    ("address_changed", "address changed"),
                    ("erasure", "data being erased"),
                    ("refunded", "refund by staff"),
                    ("granted", "granted membership"),
                    ("offline", "offline payment"),
                    ("cancelled", "subscription cancelled by staff"),
                    ("ended", "membership ended by staff"),
                    ("dispute", "dispute, to staff"),
                    ("problem", "technical problem, to staff"),
                    ("report", "campaign report, to staff"),
                ],
                max_length=24,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="ChatWebhook",
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
                        blank=True, editable=False, null=True, verbose_name="next work due at"
                    ),
                ),
                (
                    "daily",
                    models.BooleanField(db_default=False, default=False, verbose_name="every day"),
                ),
                (
                    "weekly",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="every Monday"
                    ),
                ),
                (
                    "milestones",
                    models.BooleanField(db_default=False, default=False, verbose_name="milestones"),
                ),
                (
                    "hour",
                    models.PositiveSmallIntegerField(
                        choices=campaigns.models.report_receiver.list_hours,
                        default=7,
                        validators=[django.core.validators.MaxValueValidator(23)],
                        verbose_name="hour",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=campaigns.models.copy.list_languages,
                        default=campaigns.models.copy.find_site_language,
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "chosen_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="chosen at"
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("slack", "Slack or Mattermost"),
                            ("teams", "Microsoft Teams"),
                            ("json", "plain JSON"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        max_length=2000,
                        validators=[campaigns.models.report_receiver.validate_web_address],
                        verbose_name="address",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(db_default=True, default=True, verbose_name="active"),
                ),
            ],
            options={
                "verbose_name": "chat webhook",
                "verbose_name_plural": "chat webhooks",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="chat_webhook_due",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportMail",
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
                        blank=True, editable=False, null=True, verbose_name="next work due at"
                    ),
                ),
                (
                    "daily",
                    models.BooleanField(db_default=False, default=False, verbose_name="every day"),
                ),
                (
                    "weekly",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="every Monday"
                    ),
                ),
                (
                    "milestones",
                    models.BooleanField(db_default=False, default=False, verbose_name="milestones"),
                ),
                (
                    "hour",
                    models.PositiveSmallIntegerField(
                        choices=campaigns.models.report_receiver.list_hours,
                        default=7,
                        validators=[django.core.validators.MaxValueValidator(23)],
                        verbose_name="hour",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=campaigns.models.copy.list_languages,
                        default=campaigns.models.copy.find_site_language,
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "chosen_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="chosen at"
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="report_mail",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "reports by e-mail",
                "verbose_name_plural": "reports by e-mail",
            },
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="report_mail",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="campaigns.reportmail",
                verbose_name="reports by e-mail",
            ),
        ),
        migrations.CreateModel(
            name="ReportMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=100, unique=True, verbose_name="key")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("daily", "daily report"),
                            ("weekly", "weekly report"),
                            ("milestone", "milestone"),
                            ("test", "test"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=campaigns.models.copy.list_languages,
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                ("content", models.JSONField(default=dict, verbose_name="content")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
            ],
            options={
                "verbose_name": "report message",
                "verbose_name_plural": "report messages",
                "indexes": [models.Index(fields=["created_at"], name="report_message_by_time")],
            },
        ),
        migrations.CreateModel(
            name="ChatPost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
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
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                (
                    "failed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="failed at"),
                ),
                (
                    "error",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="error"),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="posts",
                        to="campaigns.chatwebhook",
                        verbose_name="chat webhook",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="posts",
                        to="campaigns.reportmessage",
                        verbose_name="message",
                    ),
                ),
            ],
            options={
                "verbose_name": "chat post",
                "verbose_name_plural": "chat posts",
            },
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="report_message",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="campaigns.reportmessage",
                verbose_name="report message",
            ),
        ),
        migrations.CreateModel(
            name="Milestone",
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
                            ("percent", "part of the goal reached"),
                            ("goal", "goal reached"),
                            ("pace_lost", "behind for three days"),
                            ("last_day", "24 hours left"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("percent", models.PositiveSmallIntegerField(default=0, verbose_name="percent")),
                (
                    "noticed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="noticed at"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                        verbose_name="campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "milestone",
                "verbose_name_plural": "milestones",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "kind", "percent"), name="milestone_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="reportmail",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at"],
                name="report_mail_due",
            ),
        ),
        migrations.AddIndex(
            model_name="chatpost",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at"],
                name="chat_post_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="chatpost",
            constraint=models.UniqueConstraint(
                fields=("webhook", "message"), name="chat_post_once"
            ),
        ),
        migrations.RunPython(extend_roles, migrations.RunPython.noop, elidable=False),
    ]
