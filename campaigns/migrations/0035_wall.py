"""The wall of new members on the campaign page, and who may approve and hide what they wrote."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import campaigns.models.copy

ROLES = ("publisher", "campaign manager", "administrator")


def grant_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    config: Any = apps.get_app_config("campaigns")
    config.models_module = True  # otherwise its permissions would be made after all migrations
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    group_model: Any = apps.get_model("auth", "Group")
    ours = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="campaigns")
    added = ours.filter(codename__in=("view_wallentry", "change_wallentry"))
    for name in ROLES:
        group, _is_new = group_model.objects.get_or_create(name=name)
        group.permissions.add(*added)


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0034_ghost"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="shows_wall",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="New members can give their first name, town and a sentence for the campaign page. They appear once you approve them, beside the true count.",
                verbose_name="show new members on a wall",
            ),
        ),
        migrations.CreateModel(
            name="WallEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_name", models.CharField(max_length=40, verbose_name="first name")),
                ("town", models.CharField(blank=True, max_length=60, verbose_name="town")),
                ("sentence", models.CharField(blank=True, max_length=160, verbose_name="sentence")),
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
                    "status",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("shown", "shown"), ("hidden", "hidden")],
                        default="waiting",
                        editable=False,
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                (
                    "written_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="written at"
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="decided at"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="wall_entries",
                        to="campaigns.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="wall_entries",
                        to="campaigns.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "entry on the wall",
                "verbose_name_plural": "entries on the wall",
                "indexes": [
                    models.Index(
                        fields=["campaign", "status", "-written_at"], name="wall_of_campaign"
                    ),
                    models.Index(fields=["-written_at", "-id"], name="wall_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "member"), name="wall_entry_once")
                ],
            },
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop, elidable=False),
    ]
