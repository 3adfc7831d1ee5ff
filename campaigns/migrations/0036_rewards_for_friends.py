"""Months for members whose friends joined by their link."""

from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROLES = ("supporter desk", "finance", "administrator")


def grant_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    config: Any = apps.get_app_config("campaigns")
    config.models_module = True  # otherwise its permissions would be made after all migrations
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    group_model: Any = apps.get_model("auth", "Group")
    ours = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="campaigns")
    for name in ROLES:
        group, _is_new = group_model.objects.get_or_create(name=name)
        group.permissions.add(*ours.filter(codename="view_sharereward"))


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0035_wall"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="friends_for_reward",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Members get months of membership each time this many friends have joined by their link and weren’t refunded. With 0 they get nothing.",
                verbose_name="friends for a reward",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="most_reward_months",
            field=models.PositiveSmallIntegerField(
                db_default=12,
                default=12,
                help_text="Months that one member can get for friends in this campaign.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(120),
                ],
                verbose_name="most months for one member",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="reward_months",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=1,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(12),
                ],
                verbose_name="months for each reward",
            ),
        ),
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
                    ("unfinished", "unfinished payment, reminder"),
                    ("renewal", "yearly renewal, reminder"),
                    ("reward", "months for friends"),
                    ("past_due", "failed renewal"),
                    ("lapsed", "lapsed membership"),
                    ("address_old", "address change, to the old address"),
                    ("address_new", "address change, to the new address"),
                    ("address_changed", "address changed"),
                    ("erasure", "data being erased"),
                    ("newsletter", "request to confirm newsletters"),
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
            name="ShareReward",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(verbose_name="number of the reward")),
                ("friends", models.PositiveIntegerField(verbose_name="friends who counted then")),
                ("months", models.PositiveSmallIntegerField(verbose_name="months")),
                (
                    "granted_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="granted at"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="share_rewards",
                        to="campaigns.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="share_rewards",
                        to="campaigns.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "membership",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="share_reward",
                        to="campaigns.membership",
                        verbose_name="membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "months for friends",
                "verbose_name_plural": "months for friends",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "member", "number"), name="share_reward_once"
                    )
                ],
            },
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop, elidable=False),
    ]
