from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import campaigns.models.campaign


def record_units(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Record the unit of counts that were published towards a goal in money."""
    published = apps.get_model("campaigns", "PublishedNumber")
    goals = apps.get_model("campaigns", "Goal").objects.filter(kind="money", is_primary=True)
    for goal in goals.select_related("campaign"):
        published.objects.filter(campaign=goal.campaign, target=goal.target).update(
            kind=goal.kind, currency=goal.campaign.currency
        )


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0010_attempts_and_health"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="price",
            options={
                "ordering": ["plan__position", "-amount_minor", "pk"],
                "verbose_name": "price",
                "verbose_name_plural": "prices",
            },
        ),
        migrations.AddField(
            model_name="price",
            name="refusal",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=500,
                verbose_name="Stripe’s reason",
            ),
        ),
        migrations.AddField(
            model_name="price",
            name="refused_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="refused at"
            ),
        ),
        migrations.AddField(
            model_name="price",
            name="refused_status",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, editable=False, verbose_name="HTTP status of the refusal"
            ),
        ),
        migrations.AddField(
            model_name="publishednumber",
            name="currency",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=3, verbose_name="currency"
            ),
        ),
        migrations.AddField(
            model_name="publishednumber",
            name="kind",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=12, verbose_name="kind"
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="currency",
            field=models.CharField(
                default="eur",
                max_length=3,
                validators=[campaigns.models.campaign.validate_currency],
                verbose_name="currency",
            ),
        ),
        migrations.AlterField(
            model_name="goal",
            name="target",
            field=models.PositiveBigIntegerField(verbose_name="target"),
        ),
        migrations.AlterField(
            model_name="price",
            name="amount_minor",
            field=models.PositiveBigIntegerField(verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="price",
            name="currency",
            field=models.CharField(
                default="eur",
                max_length=3,
                validators=[campaigns.models.campaign.validate_currency],
                verbose_name="currency",
            ),
        ),
        migrations.RunPython(record_units, migrations.RunPython.noop, elidable=True),
    ]
