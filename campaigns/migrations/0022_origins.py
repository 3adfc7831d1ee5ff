"""Keep where a sale came from, the wallet of a payment, and why a subscription was cancelled."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0021_newsroom_look"),
    ]

    operations = [
        migrations.AddField(
            model_name="checkout",
            name="country",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=2, verbose_name="reader’s country"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="device",
            field=models.CharField(
                blank=True,
                choices=[("phone", "phone"), ("desk", "computer or tablet")],
                db_default="",
                default="",
                max_length=5,
                verbose_name="device",
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="page_title",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=200,
                verbose_name="article’s title",
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="page_url",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=800, verbose_name="article"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="referrer",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=100, verbose_name="referring site"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="utm_campaign",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=100, verbose_name="UTM campaign"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="utm_content",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=100, verbose_name="UTM content"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="utm_medium",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=100, verbose_name="UTM medium"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="utm_source",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=100, verbose_name="UTM source"
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="cancel_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("too_expensive", "too expensive"),
                    ("unused", "not used enough"),
                    ("low_quality", "unhappy with the journalism"),
                    ("missing_features", "something is missing"),
                    ("switched_service", "supports another newsroom"),
                    ("customer_service", "unhappy with the service"),
                    ("too_complex", "too complicated"),
                    ("other", "another reason"),
                ],
                db_default="",
                default="",
                max_length=40,
                verbose_name="reason for cancelling",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="wallet",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=40, verbose_name="wallet"
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(
                condition=models.Q(("counted_until__isnull", False)),
                fields=["campaign", "counted_until"],
                name="tally_stopped",
            ),
        ),
    ]
