"""The last four digits of cards and bank accounts, by which staff find a payment."""

from importlib import import_module

from django.db import migrations, models

AddIndexLive = import_module("campaigns.migrations.0032_lists_at_size").AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("campaigns", "0042_orders_of_lists")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="last4",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=4,
                verbose_name="last four digits",
            ),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("last4", ""), _negated=True),
                fields=["last4", "paid_at"],
                name="payment_last4",
            ),
        ),
    ]
