"""An index for the list of newsletter subscriptions, made while the application is in use."""

from importlib import import_module

from django.db import migrations, models

AddIndexLive = import_module("campaigns.migrations.0032_lists_at_size").AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("campaigns", "0037_newsletter_events"),
    ]

    operations = [
        AddIndexLive(
            model_name="subscription",
            index=models.Index(fields=["-requested_at", "-id"], name="subscription_newest"),
        ),
    ]
