"""Members in the newspaper's Ghost, and who may see them."""

from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROLES = {
    "supporter desk": ("view_ghostmember", "change_ghostmember"),
    "administrator": ("view_ghostmember", "change_ghostmember"),
}


def grant_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let those see members in Ghost who see members here."""
    config: Any = apps.get_app_config("campaigns")
    config.models_module = True  # otherwise its permissions would be made after all migrations
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    groups = apps.get_model("auth", "Group").objects
    group: Any
    for name, codenames in ROLES.items():
        for group in groups.filter(name=name):
            group.permissions.add(
                *permissions.filter(content_type__app_label="campaigns", codename__in=codenames)
            )


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0033_notes_on_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="GhostSite",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trouble",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "none"),
                            ("down", "it doesn’t answer"),
                            ("key", "it refuses our key"),
                            ("tier", "it has no such tier"),
                            ("stripe", "it isn’t connected to Stripe"),
                        ],
                        default="",
                        max_length=6,
                        verbose_name="trouble",
                    ),
                ),
                (
                    "detail",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="detail"),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, verbose_name="failures in a row"),
                ),
                (
                    "rests_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="next attempt at"),
                ),
                (
                    "worked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last answered at"),
                ),
                (
                    "tier_id",
                    models.CharField(blank=True, default="", max_length=24, verbose_name="tier"),
                ),
                ("newsletters", models.JSONField(default=dict, verbose_name="newsletters")),
                (
                    "looked_up_for",
                    models.CharField(
                        blank=True, default="", max_length=300, verbose_name="looked up for"
                    ),
                ),
                (
                    "looked_up_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="looked up at"),
                ),
                (
                    "compared_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="compared at"),
                ),
                ("differences", models.JSONField(default=dict, verbose_name="differences")),
            ],
            options={
                "verbose_name": "Ghost",
                "verbose_name_plural": "Ghost",
            },
        ),
        migrations.CreateModel(
            name="GhostMember",
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
                    "email",
                    models.EmailField(
                        blank=True, default="", max_length=254, verbose_name="e-mail"
                    ),
                ),
                (
                    "ghost_id",
                    models.CharField(
                        blank=True, default="", max_length=24, verbose_name="ID in Ghost"
                    ),
                ),
                ("is_created", models.BooleanField(default=False, verbose_name="created by us")),
                (
                    "tier_id",
                    models.CharField(
                        blank=True, default="", max_length=24, verbose_name="tier in Ghost"
                    ),
                ),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="access until")),
                ("labels", models.JSONField(default=list, verbose_name="labels")),
                ("newsletters", models.JSONField(default=list, verbose_name="newsletters")),
                (
                    "state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "waiting"),
                            ("given", "has complimentary access"),
                            ("ended", "has no access"),
                            ("pays", "pays in Ghost: left alone"),
                            ("other", "has access that Ghost’s staff gave: left alone"),
                            ("moved", "has another address in Ghost"),
                            ("refused", "refused by Ghost"),
                        ],
                        default="",
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                (
                    "error",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="error"),
                ),
                (
                    "synced_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="synced at"),
                ),
                (
                    "version",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="version"),
                ),
                (
                    "busy_until",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="busy until"
                    ),
                ),
                (
                    "member",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="ghost",
                        to="campaigns.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "member in Ghost",
                "verbose_name_plural": "members in Ghost",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="ghost_member_due",
                    ),
                    models.Index(fields=["state"], name="ghost_member_state"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ghost_id", ""), _negated=True),
                        fields=("ghost_id",),
                        name="ghost_member_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("email", ""), _negated=True),
                        fields=("email",),
                        name="ghost_subscriber_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="newsletter",
            name="ghost_slug",
            field=models.SlugField(
                blank=True,
                db_default="",
                default="",
                help_text="The slug of the same newsletter in your Ghost. Readers who subscribed here get it there. If it is empty, nothing is sent to Ghost.",
                max_length=191,
                verbose_name="newsletter in Ghost",
            ),
        ),
        migrations.AlterField(
            model_name="problem",
            name="kind",
            field=models.CharField(
                choices=[
                    ("worker", "The worker has stopped"),
                    ("beat", "Celery beat has stopped"),
                    ("broker", "The queue can’t be reached"),
                    ("work", "Due jobs are late"),
                    ("mail", "E-mails can’t be sent"),
                    ("webhooks", "Stripe’s webhooks don’t arrive"),
                    ("stripe_key", "Stripe refuses our key"),
                    ("stripe", "Stripe doesn’t answer"),
                    ("publishing", "Banners can’t be published"),
                    ("ghost", "Ghost doesn’t answer"),
                    ("ghost_key", "Ghost refuses our key"),
                    ("ghost_tier", "Ghost has no tier for our members"),
                    ("ghost_stripe", "Ghost isn’t connected to Stripe"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop, elidable=False),
    ]
