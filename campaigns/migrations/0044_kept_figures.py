"""Figures of the home page that take long: a job measures them ahead."""

import django.core.serializers.json
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0043_last_four_digits")]

    operations = [
        migrations.CreateModel(
            name="KeptFigure",
            fields=[
                (
                    "key",
                    models.CharField(
                        max_length=100, primary_key=True, serialize=False, verbose_name="key"
                    ),
                ),
                (
                    "value",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        verbose_name="value",
                    ),
                ),
                ("measured_at", models.DateTimeField(verbose_name="measured at")),
            ],
            options={"verbose_name": "kept figure", "verbose_name_plural": "kept figures"},
        )
    ]
