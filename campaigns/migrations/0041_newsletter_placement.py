from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0040_indexes_of_webhooks")]

    operations = [
        migrations.AlterField(
            model_name="banner",
            name="placement",
            field=models.CharField(
                choices=[
                    ("top", "bar at the top"),
                    ("inline", "block inside the article"),
                    ("end", "card at the end of the article"),
                    ("corner", "card in the corner of the window"),
                    ("newsletter", "picture in newsletters"),
                ],
                max_length=10,
                verbose_name="placement",
            ),
        ),
    ]
