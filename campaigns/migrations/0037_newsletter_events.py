"""Newsletters in the events for other systems, and clients that report unsubscribes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0036_rewards_for_friends"),
    ]

    operations = [
        migrations.AddField(
            model_name="apiclient",
            name="may_unsubscribe",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="For the mailing tool, which reports unsubscribes and bounces.",
                verbose_name="may end newsletter subscriptions",
            ),
        ),
        migrations.AddField(
            model_name="outgoingevent",
            name="is_farewell",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="tells of an erasure"
            ),
        ),
        migrations.AddField(
            model_name="outgoingevent",
            name="subscriber",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64, verbose_name="subscriber"
            ),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="subscriber",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64, verbose_name="subscriber"
            ),
        ),
    ]
