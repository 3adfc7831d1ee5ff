"""Labels that staff read: "short name" for slugs, and "ID" in capitals. No table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0044_kept_figures"),
    ]

    operations = [
        migrations.AlterField(
            model_name="campaign",
            name="slug",
            field=models.SlugField(
                error_messages={
                    "unique": "Another campaign has this short name. Choose a different one."
                },
                help_text="The last part of the campaign’s address, and its name in files. Small Latin letters without spaces, for example birthday. It can’t be changed later.",
                unique=True,
                verbose_name="short name",
            ),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="customer_id",
            field=models.CharField(blank=True, max_length=255, verbose_name="customer ID"),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="session_id",
            field=models.CharField(
                blank=True, max_length=255, null=True, unique=True, verbose_name="session ID"
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="dispute_id",
            field=models.CharField(max_length=255, unique=True, verbose_name="dispute ID"),
        ),
        migrations.AlterField(
            model_name="membership",
            name="subscription_id",
            field=models.CharField(
                blank=True, max_length=255, null=True, unique=True, verbose_name="subscription ID"
            ),
        ),
        migrations.AlterField(
            model_name="newsletter",
            name="slug",
            field=models.SlugField(
                error_messages={
                    "unique": "Another newsletter has this short name. Choose a different one."
                },
                help_text="Names the newsletter in files, for your mailing tool. Don’t change it later.",
                unique=True,
                verbose_name="short name",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="charge_id",
            field=models.CharField(
                blank=True, db_index=True, max_length=255, verbose_name="charge ID"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="intent_id",
            field=models.CharField(
                blank=True, max_length=255, null=True, unique=True, verbose_name="payment intent ID"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="invoice_id",
            field=models.CharField(blank=True, max_length=255, verbose_name="invoice ID"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="slug",
            field=models.SlugField(
                error_messages={
                    "unique": "Another plan has this short name. Choose a different one."
                },
                help_text="Names the plan in files and for other systems. Don’t change it later.",
                unique=True,
                verbose_name="short name",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="refund_id",
            field=models.CharField(max_length=255, unique=True, verbose_name="refund ID"),
        ),
        migrations.AlterField(
            model_name="refundorder",
            name="refund_id",
            field=models.CharField(
                blank=True, max_length=255, null=True, unique=True, verbose_name="refund ID"
            ),
        ),
        migrations.AlterField(
            model_name="stripeevent",
            name="event_id",
            field=models.CharField(max_length=255, unique=True, verbose_name="event ID"),
        ),
        migrations.AlterField(
            model_name="stripeevent",
            name="object_id",
            field=models.CharField(blank=True, max_length=255, verbose_name="object ID"),
        ),
        migrations.AlterField(
            model_name="stripeobject",
            name="object_id",
            field=models.CharField(
                max_length=255, primary_key=True, serialize=False, verbose_name="object ID"
            ),
        ),
        migrations.AlterField(
            model_name="stripesale",
            name="customer_id",
            field=models.CharField(max_length=255, verbose_name="customer ID"),
        ),
        migrations.AlterField(
            model_name="stripesale",
            name="subscription_id",
            field=models.CharField(max_length=255, unique=True, verbose_name="subscription ID"),
        ),
    ]
