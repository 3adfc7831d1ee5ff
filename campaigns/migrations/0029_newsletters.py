"""Newsletters and their subscriptions, with the consents that order forms kept until now."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import campaigns.models.copy
import campaigns.models.drawings
import campaigns.models.newsletter

GRANTED = {
    "report reader": "view_newsletter",
    "publisher": "view_newsletter change_newsletter",
    "campaign manager": "view_newsletter add_newsletter change_newsletter",
    "supporter desk": "view_newsletter view_subscription change_subscription",
    "finance": "view_newsletter",
    "administrator": (
        "view_newsletter add_newsletter change_newsletter view_subscription change_subscription"
    ),
}
_AT_ONCE = 500


def move_consents(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make a subscription of the latest consent of each address to the one newsletter there was.

    Newsrooms got these addresses in their files before, so they stay subscribed.
    """
    checkout_model: Any = apps.get_model("campaigns", "Checkout")
    newsletter_model: Any = apps.get_model("campaigns", "Newsletter")
    subscription_model: Any = apps.get_model("campaigns", "Subscription")
    agreed = checkout_model.objects.filter(newsletter_agreed_at__isnull=False)
    if not agreed.exists():
        return
    newsletter = newsletter_model.objects.create(
        slug="newsletter", name="Newsletter", frequency="irregular", language=settings.LANGUAGE_CODE
    )
    batch: list[Any] = []
    seen: set[str] = set()
    fields = ("placement", "page_url", "page_title", "referrer", "device", "country")
    utm = ("utm_source", "utm_medium", "utm_campaign", "utm_content")
    for checkout in agreed.order_by("-newsletter_agreed_at", "pk").iterator(chunk_size=_AT_ONCE):
        if checkout.email in seen:
            continue
        seen.add(checkout.email)
        at = checkout.newsletter_agreed_at
        batch.append(
            subscription_model(
                newsletter=newsletter,
                email=checkout.email,
                status="confirmed",
                language=checkout.language,
                campaign_id=checkout.campaign_id,
                consent_wording=checkout.newsletter_wording,
                requested_at=at,
                confirmed_at=at,
                proof="earlier",
                created_at=at,
                **{name: getattr(checkout, name) for name in (*fields, *utm)},
            )
        )
        if len(batch) == _AT_ONCE:
            subscription_model.objects.bulk_create(batch)
            batch = []
    subscription_model.objects.bulk_create(batch)


def grant_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    config: Any = apps.get_app_config("campaigns")
    config.models_module = True  # otherwise its permissions would be made after all migrations
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    group_model: Any = apps.get_model("auth", "Group")
    permissions = apps.get_model("auth", "Permission").objects
    ours = permissions.filter(content_type__app_label="campaigns")
    for name, added in GRANTED.items():
        for group in group_model.objects.filter(name=name):
            group.permissions.add(*ours.filter(codename__in=added.split()))


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0028_api_clients"),
    ]

    operations = [
        migrations.CreateModel(
            name="Newsletter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
                    models.SlugField(
                        help_text="Names the newsletter in files, for your mailing tool. Don’t change it later.",
                        unique=True,
                        verbose_name="short name",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=80,
                        validators=[campaigns.models.newsletter.validate_name],
                        verbose_name="name",
                    ),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        help_text="One sentence that says what readers get.",
                        max_length=200,
                        verbose_name="description",
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("daily", "every day"),
                            ("weekdays", "every weekday"),
                            ("weekly", "every week"),
                            ("fortnightly", "every two weeks"),
                            ("monthly", "every month"),
                            ("irregular", "when there is news"),
                        ],
                        default="weekly",
                        max_length=12,
                        verbose_name="how often",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=campaigns.models.copy.list_languages,
                        default=campaigns.models.copy.find_site_language,
                        help_text="The language in which the newsletter and these texts are written.",
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "emblem",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="A drawing beside the name, as the text of an SVG file. It can be empty.",
                        validators=[campaigns.models.drawings.validate_drawing],
                        verbose_name="picture",
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Newsletters with a lower number come first.",
                        verbose_name="position",
                    ),
                ),
                (
                    "is_offered",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Readers can sign up for it. If you stop offering it, subscribers stay subscribed.",
                        verbose_name="offered",
                    ),
                ),
            ],
            options={
                "verbose_name": "newsletter",
                "verbose_name_plural": "newsletters",
                "ordering": ["position", "pk"],
            },
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receipt", "receipt"),
                    ("welcome", "welcome"),
                    ("gift_bought", "gift bought"),
                    ("gift_invitation", "gift, to its recipient"),
                    ("gift_to_pass_on", "gift to pass on, to its buyer"),
                    ("gift_delivered", "gifts delivered"),
                    ("gift_bounced", "gift bounced, to its buyer"),
                    ("gift_bounced_staff", "gift bounced, to staff"),
                    ("gift_reminder", "unclaimed gift, reminder to its recipient"),
                    ("gift_unclaimed", "unclaimed gift, reminder to its buyer"),
                    ("gift_expiring", "gift about to expire, to its buyer"),
                    ("gift_confirm", "request to confirm a claim"),
                    ("gift_claimed", "gift claimed"),
                    ("gift_ending", "gift membership about to end"),
                    ("sign_in", "sign-in link"),
                    ("past_due", "failed renewal"),
                    ("lapsed", "lapsed membership"),
                    ("address_old", "address change, to the old address"),
                    ("address_new", "address change, to the new address"),
                    ("address_changed", "address changed"),
                    ("erasure", "data being erased"),
                    ("newsletter", "request to confirm newsletters"),
                    ("refunded", "refund by staff"),
                    ("granted", "granted membership"),
                    ("offline", "offline payment"),
                    ("cancelled", "subscription cancelled by staff"),
                    ("ended", "membership ended by staff"),
                    ("dispute", "dispute, to staff"),
                    ("problem", "technical problem, to staff"),
                ],
                max_length=24,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "placement",
                    models.CharField(blank=True, max_length=32, verbose_name="placement"),
                ),
                (
                    "page_url",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=800,
                        verbose_name="article",
                    ),
                ),
                (
                    "page_title",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="article’s title",
                    ),
                ),
                (
                    "referrer",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="referring site",
                    ),
                ),
                (
                    "utm_source",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="UTM source",
                    ),
                ),
                (
                    "utm_medium",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="UTM medium",
                    ),
                ),
                (
                    "utm_campaign",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="UTM campaign",
                    ),
                ),
                (
                    "utm_content",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="UTM content",
                    ),
                ),
                (
                    "device",
                    models.CharField(
                        blank=True,
                        choices=[("phone", "phone"), ("desk", "computer or tablet")],
                        db_default="",
                        default="",
                        max_length=5,
                        verbose_name="device",
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=2,
                        verbose_name="reader’s country",
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "not confirmed yet"),
                            ("confirmed", "subscribed"),
                            ("unsubscribed", "unsubscribed"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=campaigns.models.copy.list_languages,
                        default=campaigns.models.copy.find_site_language,
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                ("consent_wording", models.TextField(blank=True, verbose_name="consent text")),
                (
                    "form_url",
                    models.CharField(blank=True, max_length=800, verbose_name="page with the form"),
                ),
                (
                    "requested_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="requested at"
                    ),
                ),
                (
                    "confirmed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="confirmed at"),
                ),
                (
                    "proof",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("link", "link in an e-mail"),
                            ("account", "account page, after signing in"),
                            ("earlier", "order form of an earlier version, without a confirmation"),
                        ],
                        max_length=8,
                        verbose_name="confirmed by",
                    ),
                ),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="unsubscribed at"),
                ),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reader", "unsubscribed by the reader"),
                            ("staff", "unsubscribed by staff"),
                            ("tool", "unsubscribed at the mailing tool"),
                            ("bounce", "bounced"),
                            ("complaint", "reported as spam"),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="subscriptions",
                        to="campaigns.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "newsletter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="campaigns.newsletter",
                        verbose_name="newsletter",
                    ),
                ),
            ],
            options={
                "verbose_name": "newsletter subscription",
                "verbose_name_plural": "newsletter subscriptions",
            },
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="subscription",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="campaigns.subscription",
                verbose_name="newsletter subscription",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                fields=["campaign", "requested_at"], name="subscription_of_campaign"
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["requested_at"],
                name="subscription_unconfirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                fields=("email", "newsletter"), name="subscription_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("status", "pending")),
                    models.Q(
                        ("confirmed_at__isnull", False), ("ended_at", None), ("status", "confirmed")
                    ),
                    models.Q(("ended_at__isnull", False), ("status", "unsubscribed")),
                    _connector="OR",
                ),
                name="subscription_times_fit_status",
            ),
        ),
        migrations.RunPython(move_consents, migrations.RunPython.noop),
        migrations.RunPython(grant_roles, migrations.RunPython.noop, elidable=False),
        # The release before still writes these columns. A later one can drop them.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="checkout", name="newsletter_agreed_at"),
                migrations.RemoveField(model_name="checkout", name="newsletter_wording"),
            ]
        ),
    ]
