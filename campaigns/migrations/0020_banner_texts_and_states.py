# The texts and states of banners: more texts, a starting number, a next target, a last day.

import django.core.validators
from django.db import migrations, models

import campaigns.models.copy


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0019_shorter_role"),
    ]

    operations = [
        migrations.AddField(
            model_name="banner",
            name="gift_label",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=60, verbose_name="second button"
            ),
        ),
        migrations.AddField(
            model_name="banner",
            name="join_label",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=60, verbose_name="first button"
            ),
        ),
        migrations.AddField(
            model_name="banner",
            name="small_print",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=600, verbose_name="small print"
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="hide_banners_on",
            field=models.DateField(
                blank=True,
                help_text="After the end, banners show the final count until this day, in the campaign’s time zone. If it is empty, they stay until you hide them.",
                null=True,
                verbose_name="hide banners on",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="nearly_percent",
            field=models.PositiveSmallIntegerField(
                db_default=90,
                default=90,
                help_text="The percent of the target from which banners say that you’re nearly there.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(99),
                ],
                verbose_name="nearly there at",
            ),
        ),
        migrations.AddField(
            model_name="goal",
            name="starts_from",
            field=models.PositiveBigIntegerField(
                db_default=0,
                default=0,
                help_text="What you had before the campaign. Banners add the count to it and say so. Reports keep the count alone.",
                verbose_name="starting number",
            ),
        ),
        migrations.AddField(
            model_name="goal",
            name="stretch_target",
            field=models.PositiveBigIntegerField(
                blank=True,
                help_text="Banners show this target once the first one is reached. Leave it empty to say thanks and to keep counting.",
                null=True,
                verbose_name="next target",
            ),
        ),
        migrations.AlterField(
            model_name="addresschange",
            name="language",
            field=models.CharField(
                choices=campaigns.models.copy.list_languages,
                default=campaigns.models.copy.find_site_language,
                max_length=8,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="banner",
            name="headline",
            field=models.CharField(blank=True, max_length=600, verbose_name="headline"),
        ),
        migrations.AlterField(
            model_name="banner",
            name="language",
            field=models.CharField(
                choices=campaigns.models.copy.list_languages,
                default=campaigns.models.copy.find_site_language,
                max_length=8,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="banner",
            name="placement",
            field=models.CharField(
                choices=[
                    ("top", "bar at the top"),
                    ("inline", "block inside the article"),
                    ("end", "card at the end of the article"),
                    ("corner", "card in the corner of the window"),
                ],
                max_length=8,
                verbose_name="placement",
            ),
        ),
        migrations.AlterField(
            model_name="banner",
            name="state",
            field=models.CharField(
                choices=[
                    ("before", "before the campaign"),
                    ("running", "running"),
                    ("nearly", "nearly there"),
                    ("last_day", "last day"),
                    ("reached", "goal reached"),
                    ("ended", "ended"),
                ],
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="banner",
            name="text",
            field=models.CharField(blank=True, max_length=1200, verbose_name="text"),
        ),
        migrations.AlterField(
            model_name="campaigncopy",
            name="language",
            field=models.CharField(
                choices=campaigns.models.copy.list_languages,
                default=campaigns.models.copy.find_site_language,
                max_length=8,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="language",
            field=models.CharField(
                choices=campaigns.models.copy.list_languages,
                default=campaigns.models.copy.find_site_language,
                max_length=8,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="member",
            name="language",
            field=models.CharField(
                choices=campaigns.models.copy.list_languages,
                default=campaigns.models.copy.find_site_language,
                max_length=8,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="language",
            field=models.CharField(
                choices=campaigns.models.copy.list_languages,
                default=campaigns.models.copy.find_site_language,
                max_length=8,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="plancopy",
            name="language",
            field=models.CharField(
                choices=campaigns.models.copy.list_languages,
                default=campaigns.models.copy.find_site_language,
                max_length=8,
                verbose_name="language",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("stretch_target__isnull", True),
                    ("stretch_target__gt", models.F("target")),
                    _connector="OR",
                ),
                name="goal_stretch_above_target",
                violation_error_message="The next target must be above the first one.",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_from__lt", models.F("target"))),
                name="goal_starts_below_target",
                violation_error_message="The starting number must be below the target.",
            ),
        ),
    ]
