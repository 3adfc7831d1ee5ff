from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0001_keep_the_pretend_stripe")]

    operations = [
        migrations.AddField(
            model_name="standing", name="rates", field=models.JSONField(default=dict)
        )
    ]
