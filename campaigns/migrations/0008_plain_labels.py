"""Labels, help texts and messages in plain words. No statement is sent to the database."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_names_of_fields"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="addresschange",
            options={"verbose_name": "address change", "verbose_name_plural": "address changes"},
        ),
        migrations.AlterModelOptions(
            name="banner",
            options={"verbose_name": "banner text", "verbose_name_plural": "banner texts"},
        ),
        migrations.AlterModelOptions(
            name="campaigncopy",
            options={"verbose_name": "campaign texts", "verbose_name_plural": "campaign texts"},
        ),
        migrations.AlterModelOptions(
            name="giftchange",
            options={
                "ordering": ["-made_at", "-pk"],
                "verbose_name": "gift change",
                "verbose_name_plural": "gift changes",
            },
        ),
        migrations.AlterModelOptions(
            name="outgoingmail",
            options={"verbose_name": "e-mail", "verbose_name_plural": "e-mails"},
        ),
        migrations.AlterModelOptions(
            name="plancopy",
            options={"verbose_name": "plan texts", "verbose_name_plural": "plan texts"},
        ),
        migrations.AlterModelOptions(
            name="publishednumber",
            options={"verbose_name": "published count", "verbose_name_plural": "published counts"},
        ),
        migrations.AlterModelOptions(
            name="replacedcode",
            options={
                "verbose_name": "replaced claim code",
                "verbose_name_plural": "replaced claim codes",
            },
        ),
        migrations.AlterModelOptions(
            name="stripecursor",
            options={"verbose_name": "sync position", "verbose_name_plural": "sync positions"},
        ),
        migrations.AlterModelOptions(
            name="tally",
            options={"verbose_name": "counted sign-up", "verbose_name_plural": "counted sign-ups"},
        ),
        migrations.AlterField(
            model_name="addresschange",
            name="asked_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, verbose_name="requested at"
            ),
        ),
        migrations.AlterField(
            model_name="addresschange",
            name="made_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="changed at"),
        ),
        migrations.AlterField(
            model_name="addresschange",
            name="new_confirmed_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="confirmed from the new address"
            ),
        ),
        migrations.AlterField(
            model_name="addresschange",
            name="old_confirmed_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="confirmed from the old address"
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
                    ("reached", "goal reached"),
                    ("ended", "ended"),
                ],
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="currency",
            field=models.CharField(
                default="eur",
                max_length=3,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[a-z]{3}\\Z",
                        "Use the three-letter code of the currency, for example eur.",
                    )
                ],
                verbose_name="currency",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="final_counts",
            field=models.JSONField(
                blank=True,
                db_column="closed_numbers",
                editable=False,
                help_text="The final count of each goal, by goal kind.",
                null=True,
                verbose_name="final counts",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="priority",
            field=models.SmallIntegerField(
                default=0,
                help_text="If a link names no campaign, the running one with the highest priority gets the sale.",
                verbose_name="priority",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="publish_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="publishing due at"
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="publish_lease_until",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="publishing lease ends at"
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="recount_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="recount due at"
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="recounted_to",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=64,
                verbose_name="recounted up to",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="supporters_before",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Number of supporters before the campaign. Banners mention it if it isn’t zero.",
                verbose_name="earlier supporters",
            ),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="amount_minor",
            field=models.PositiveBigIntegerField(verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="opened_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When the session of this attempt was created.",
                null=True,
                verbose_name="opened at",
            ),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="session_url",
            field=models.TextField(blank=True, verbose_name="session URL"),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="status",
            field=models.CharField(
                choices=[
                    ("starting", "starting"),
                    ("open", "open"),
                    ("waiting", "pending"),
                    ("paid", "paid"),
                    ("failed", "failed"),
                    ("expired", "expired"),
                ],
                default="starting",
                max_length=8,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="checkout",
            name="typed",
            field=models.JSONField(blank=True, default=dict, verbose_name="form content"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="amount_minor",
            field=models.PositiveBigIntegerField(verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="evidence_due_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Deadline for evidence.",
                null=True,
                verbose_name="evidence due at",
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="fee_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="fee"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="returned_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="amount returned"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="settled_currency",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=3, verbose_name="payout currency"
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="taken_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="amount taken"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="withdrawn_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When Stripe withdrew the money.",
                null=True,
                verbose_name="withdrawn at",
            ),
        ),
        migrations.AlterField(
            model_name="erasure",
            name="asked_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, verbose_name="requested at"
            ),
        ),
        migrations.AlterField(
            model_name="erasure",
            name="asked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
                verbose_name="requested by",
            ),
        ),
        migrations.AlterField(
            model_name="erasure",
            name="events_read_to",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                verbose_name="stored events processed up to",
            ),
        ),
        migrations.AlterField(
            model_name="erasure",
            name="why",
            field=models.CharField(blank=True, max_length=200, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="gift",
            name="code_hash",
            field=models.CharField(max_length=64, unique=True, verbose_name="claim code hash"),
        ),
        migrations.AlterField(
            model_name="gift",
            name="code_hint",
            field=models.CharField(
                blank=True, max_length=5, verbose_name="start of the claim code"
            ),
        ),
        migrations.AlterField(
            model_name="gift",
            name="deliver_at",
            field=models.DateTimeField(verbose_name="delivery date"),
        ),
        migrations.AlterField(
            model_name="gift",
            name="refunds",
            field=models.ManyToManyField(
                blank=True, related_name="gifts", to="campaigns.refund", verbose_name="refunds"
            ),
        ),
        migrations.AlterField(
            model_name="gift",
            name="revoked_for",
            field=models.CharField(
                blank=True,
                choices=[("money", "payment reversed"), ("staff", "revoked by staff")],
                db_default="",
                default="",
                max_length=5,
                verbose_name="reason for revoking",
            ),
        ),
        migrations.AlterField(
            model_name="gift",
            name="zone",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Leave empty to use the campaign’s time zone.",
                max_length=64,
                verbose_name="recipient’s time zone",
            ),
        ),
        migrations.AlterField(
            model_name="giftchange",
            name="made_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, verbose_name="changed at"
            ),
        ),
        migrations.AlterField(
            model_name="giftchange",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
                verbose_name="changed by",
            ),
        ),
        migrations.AlterField(
            model_name="giftchange",
            name="staff_name",
            field=models.CharField(
                blank=True,
                help_text="Empty if the buyer made the change on their page.",
                max_length=150,
                verbose_name="staff member",
            ),
        ),
        migrations.AlterField(
            model_name="giftchange",
            name="what",
            field=models.CharField(
                choices=[
                    ("resent", "resent"),
                    ("new_code", "resent with a new claim code"),
                    ("date", "delivery date changed"),
                    ("recipient", "recipient changed"),
                    ("revoked", "revoked"),
                    ("revived", "restored"),
                    ("reassigned", "reassigned to another member"),
                    ("kept", "kept despite a reversed payment"),
                ],
                max_length=12,
                verbose_name="change",
            ),
        ),
        migrations.AlterField(
            model_name="giftchange",
            name="why",
            field=models.CharField(blank=True, max_length=200, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="goal",
            name="target",
            field=models.PositiveBigIntegerField(
                help_text="A number of members or gifts. For money, an amount in the smallest unit of the campaign’s currency: 6000 is €60.",
                verbose_name="target",
            ),
        ),
        migrations.AlterField(
            model_name="member",
            name="tell_stripe_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="Stripe update due at"
            ),
        ),
        migrations.AlterField(
            model_name="member",
            name="tell_stripe_error",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=200,
                verbose_name="error of the Stripe update",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="access_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Only for a subscription that is past due or paused: the end of the grace period or of the paid period.",
                null=True,
                verbose_name="access until",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="ends_at",
            field=models.DateTimeField(
                blank=True,
                help_text="End of the paid or granted period. A subscription renews then.",
                null=True,
                verbose_name="ends at",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="import_key",
            field=models.CharField(
                blank=True,
                editable=False,
                max_length=254,
                null=True,
                unique=True,
                verbose_name="import key",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Length that was bought or granted.",
                null=True,
                verbose_name="months",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="push_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="moving the next charge due at"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="push_error",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=200,
                verbose_name="error when moving the charge",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="resumes_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Only for a paused subscription, if known.",
                null=True,
                verbose_name="resumes at",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="address_change",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="campaigns.addresschange",
                verbose_name="address change",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="failed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="failed at"),
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
                    ("dispute", "dispute, to staff"),
                ],
                max_length=24,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="provider_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=255,
                verbose_name="ID at the mail provider",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="told_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="failure reported at"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="amount_minor",
            field=models.PositiveBigIntegerField(verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="fee_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="fee"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="hold",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "none"),
                    ("waiting", "needs a decision"),
                    ("accepted", "accepted"),
                    ("refused", "declined"),
                ],
                db_default="",
                default="",
                max_length=8,
                verbose_name="decision on currency",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="net_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="net amount"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="paid_at",
            field=models.DateTimeField(
                help_text="When the charge was made (Stripe’s time).", verbose_name="paid at"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="settled_currency",
            field=models.CharField(blank=True, max_length=3, verbose_name="payout currency"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="settled_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="payout amount"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="gift_claimable_days",
            field=models.PositiveSmallIntegerField(
                db_default=365,
                default=365,
                help_text="Days from the delivery until an unclaimed gift expires.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="days to claim a gift",
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="stripe_product_id",
            field=models.CharField(
                blank=True, editable=False, max_length=255, verbose_name="Stripe product ID"
            ),
        ),
        migrations.AlterField(
            model_name="plancopy",
            name="benefits",
            field=models.TextField(blank=True, help_text="One per line.", verbose_name="benefits"),
        ),
        migrations.AlterField(
            model_name="price",
            name="amount_minor",
            field=models.PositiveBigIntegerField(
                help_text="In the smallest unit of the currency: 6000 is €60.",
                verbose_name="amount",
            ),
        ),
        migrations.AlterField(
            model_name="price",
            name="currency",
            field=models.CharField(
                default="eur",
                max_length=3,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[a-z]{3}\\Z",
                        "Use the three-letter code of the currency, for example eur.",
                    )
                ],
                verbose_name="currency",
            ),
        ),
        migrations.AlterField(
            model_name="price",
            name="months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Length of the membership, for one-time prices and gifts.",
                null=True,
                verbose_name="months",
            ),
        ),
        migrations.AlterField(
            model_name="price",
            name="stripe_price_id",
            field=models.CharField(
                blank=True, editable=False, max_length=255, verbose_name="Stripe price ID"
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="amount_minor",
            field=models.PositiveBigIntegerField(verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="fee_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="fee"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="gifts_named_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="gifts chosen at"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="returned_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="amount returned"),
        ),
        migrations.AlterField(
            model_name="refund",
            name="settled_currency",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=3, verbose_name="payout currency"
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="taken_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="amount taken"),
        ),
        migrations.AlterField(
            model_name="refundorder",
            name="amount_minor",
            field=models.PositiveBigIntegerField(
                validators=[django.core.validators.MinValueValidator(1)], verbose_name="amount"
            ),
        ),
        migrations.AlterField(
            model_name="refundorder",
            name="reason",
            field=models.CharField(
                choices=[
                    ("requested_by_customer", "requested by the reader"),
                    ("duplicate", "duplicate payment"),
                    ("fraudulent", "fraud"),
                ],
                max_length=24,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="refundorder",
            name="why",
            field=models.CharField(max_length=200, verbose_name="internal note"),
        ),
        migrations.AlterField(
            model_name="replacedcode",
            name="code_hash",
            field=models.CharField(max_length=64, unique=True, verbose_name="claim code hash"),
        ),
        migrations.AlterField(
            model_name="stripecursor",
            name="moved_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, verbose_name="updated at"
            ),
        ),
        migrations.AlterField(
            model_name="stripecursor",
            name="read_until",
            field=models.DateTimeField(help_text="Stripe’s time.", verbose_name="read until"),
        ),
        migrations.AlterField(
            model_name="stripeevent",
            name="created_at",
            field=models.DateTimeField(help_text="Stripe’s time.", verbose_name="created at"),
        ),
        migrations.AlterField(
            model_name="stripeevent",
            name="object_type",
            field=models.CharField(blank=True, max_length=60, verbose_name="object type"),
        ),
        migrations.AlterField(
            model_name="stripeevent",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unknown there", "not ours: Stripe doesn’t have the object"),
                    ("names none", "not ours: it belongs to no Checkout"),
                    ("names a lost one", "it belongs to a Checkout that is missing here"),
                    ("nothing kept", "not ours: this type of object isn’t used"),
                ],
                db_default="",
                default="",
                help_text="Why the event is not ours.",
                max_length=200,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="stripeevent",
            name="type",
            field=models.CharField(max_length=120, verbose_name="event type"),
        ),
        migrations.AlterConstraint(
            model_name="campaign",
            name="campaign_ends_after_it_starts",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="campaign_ends_after_it_starts",
                violation_error_message="The end must be after the start.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="goal",
            name="goal_target_above_zero",
            constraint=models.CheckConstraint(
                condition=models.Q(("target__gt", 0)),
                name="goal_target_above_zero",
                violation_error_message="The target must be above zero.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="goal",
            name="goal_one_primary",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_primary", True)),
                fields=("campaign",),
                name="goal_one_primary",
                violation_error_message="Choose only one primary goal. It is the goal that banners show.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="price",
            name="price_above_zero",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)),
                name="price_above_zero",
                violation_error_message="The price must be above zero.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="price",
            name="price_months_fit_its_kind",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["month", "year"]), ("months__isnull", True)),
                    models.Q(
                        ("kind__in", ["once", "gift"]), ("months__gt", 0), ("months__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="price_months_fit_its_kind",
                violation_error_message="Set the number of months for a one-time price or a gift. Leave it empty for a price that renews.",
            ),
        ),
    ]
