"""Shorten a label in the admin. Nothing is sent to the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0018_one_due_field")]

    operations = [
        migrations.AlterField(
            model_name="payment",
            name="role",
            field=models.CharField(
                choices=[
                    ("first", "first payment"),
                    ("renewal", "renewal"),
                    ("change", "change of plan"),
                    ("gift", "gift"),
                ],
                max_length=8,
                verbose_name="role",
            ),
        ),
    ]
