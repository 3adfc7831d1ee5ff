from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0005_people_and_books"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="gaps",
            field=models.JSONField(
                blank=True, editable=False, null=True, verbose_name="times without access"
            ),
        ),
    ]
