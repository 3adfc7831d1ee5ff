from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0002_rates_of_payout")]

    operations = [
        migrations.AddField(
            model_name="standing",
            name="after_last_try",
            field=models.TextField(default="cancel"),
        )
    ]
