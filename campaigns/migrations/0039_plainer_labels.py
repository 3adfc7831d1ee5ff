"""Plainer labels. The database stays as it is."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0038_newest_subscriptions")]

    operations = [
        migrations.AlterModelOptions(
            name="attemptcount",
            options={
                "verbose_name": "number of attempts",
                "verbose_name_plural": "attempt counts",
            },
        ),
        migrations.AlterModelOptions(
            name="memberaccess",
            options={"verbose_name": "access", "verbose_name_plural": "access of members"},
        ),
        migrations.AlterField(
            model_name="campaign",
            name="nearly_percent",
            field=models.PositiveSmallIntegerField(
                db_default=90,
                default=90,
                help_text="From this percent of the target, banners say that you’re nearly there.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(99),
                ],
                verbose_name="nearly there at",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="takes_contributions",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Readers can give once without becoming a member, at prices of the kind "
                "“contribution without membership”. They count towards a money goal, and never as "
                "new members.",
                verbose_name="accept contributions without membership",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="gaps",
            field=models.JSONField(
                blank=True, editable=False, null=True, verbose_name="periods without access"
            ),
        ),
        migrations.AlterField(
            model_name="webhookendpoint",
            name="paused_for",
            field=models.CharField(
                blank=True,
                choices=[
                    ("failing", "it failed for three days"),
                    ("gone", "it answered that it no longer exists (410)"),
                ],
                default="",
                editable=False,
                max_length=7,
                verbose_name="reason for the pause",
            ),
        ),
    ]
