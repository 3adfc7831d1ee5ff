"""Store each address in its one form, mark members who share one, and add newsletter consents."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from campaigns.people import canonical_email, clean_name

# Checkouts, gifts and changes may repeat an address; a member or a former address may not.
REPEATED = (
    ("Checkout", "email"),
    ("Gift", "recipient_email"),
    ("AddressChange", "email"),
)


def clean_stored(apps: Any, schema_editor: Any) -> None:
    """Clean the stored addresses. Members who share one are marked for staff, never merged."""
    clean_members(apps.get_model("campaigns", "Member"))
    clean_unique(apps.get_model("campaigns", "FormerAddress"), "email")
    clean_unique(apps.get_model("campaigns", "Membership"), "import_key")
    for name, field in REPEATED:
        model = apps.get_model("campaigns", name)
        for stored, cleaned in find_changes(model, field):
            model.objects.filter(**{field: stored}).update(**{field: cleaned})


def clean_members(member_model: Any) -> None:
    for stored, cleaned in find_changes(member_model, "email"):
        rows = member_model.objects.filter(email=stored)
        owner = member_model.objects.filter(email=cleaned).first()
        if owner is None:
            rows.update(email=cleaned)
        else:
            rows.update(duplicate_of=owner)
    names = member_model.objects.exclude(name="").values_list("pk", "name").iterator()
    for pk, cleaned in [(pk, clean) for pk, name in names if (clean := clean_name(name)) != name]:
        member_model.objects.filter(pk=pk).update(name=cleaned[:120])


def clean_unique(model: Any, field: str) -> None:
    for stored, cleaned in find_changes(model, field):
        if not model.objects.filter(**{field: cleaned}).exists():
            model.objects.filter(**{field: stored}).update(**{field: cleaned})


def find_changes(model: Any, field: str) -> list[tuple[str, str]]:
    """Return the stored values whose address changes, each with its cleaned form."""
    stored = model.objects.exclude(**{field: None}).exclude(**{field: ""})
    distinct = stored.order_by().values_list(field, flat=True).distinct()
    return [(each, clean) for each in distinct.iterator() if (clean := clean_value(each)) != each]


def clean_value(value: str) -> str:
    """Clean an address, or the address before the day in an import key."""
    address, space, day = value.partition(" ")
    return canonical_email(address) + space + day


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0011_refused_prices_and_units")]

    operations = [
        migrations.AlterModelOptions(
            name="member",
            options={
                "permissions": [("export_member", "Can download members and sign-ups")],
                "verbose_name": "member",
                "verbose_name_plural": "members",
            },
        ),
        migrations.AddField(
            model_name="checkout",
            name="newsletter_agreed_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="newsletter: consent given at"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="newsletter_wording",
            field=models.TextField(
                blank=True, db_default="", default="", verbose_name="newsletter: consent text"
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="duplicate_of",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="duplicates",
                to="campaigns.member",
                verbose_name="duplicate of",
            ),
        ),
        migrations.RunPython(clean_stored, migrations.RunPython.noop),
    ]
