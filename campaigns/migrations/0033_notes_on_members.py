"""Notes by staff about a person, and who may read and write them."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROLES = {
    "supporter desk": ("view_membernote", "add_membernote", "delete_membernote"),
    "finance": ("view_membernote",),
    "administrator": ("view_membernote", "add_membernote", "delete_membernote"),
}


def grant_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    config: Any = apps.get_app_config("campaigns")
    config.models_module = True  # otherwise its permissions would be made after all migrations
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    group_model: Any = apps.get_model("auth", "Group")
    ours = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="campaigns")
    for name, added in ROLES.items():
        group, _is_new = group_model.objects.get_or_create(name=name)
        group.permissions.add(*ours.filter(codename__in=added))


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0032_lists_at_size"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MemberNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField(max_length=2000, verbose_name="note")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="campaigns.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="written by",
                    ),
                ),
            ],
            options={
                "verbose_name": "note about a member",
                "verbose_name_plural": "notes about members",
                "indexes": [models.Index(fields=["member", "-created_at"], name="note_of_member")],
            },
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop, elidable=False),
    ]
