"""The roles of staff, as groups: docs/roles.md has the table. Later ones change a role again."""

from typing import Any

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NUMBERS = (
    "view_campaign view_campaigncopy view_goal view_banner view_publishednumber view_note view_look"
)
TEXTS = (
    "change_campaign add_campaigncopy change_campaigncopy delete_campaigncopy "
    "add_banner change_banner delete_banner publish_banners add_note delete_note"
)
PRICES = "view_plan view_plancopy view_price"
SALES = (
    "view_member view_membership view_payment view_refund view_refundorder view_dispute view_gift "
    "view_checkout view_tally view_stripesale"
)
ROLES = {
    "report reader": [NUMBERS],
    "publisher": [NUMBERS, TEXTS, "view_problem"],
    "campaign manager": [
        *(NUMBERS, TEXTS, PRICES, "view_problem"),
        "add_campaign delete_campaign plan_campaign close_campaign add_look change_look",
        "add_goal change_goal delete_goal",
    ],
    "supporter desk": [
        *(NUMBERS, PRICES, SALES, "view_problem"),
        "view_formeraddress view_giftchange view_outgoingmail view_optout",
        "view_erasure view_erasedaddress",
        "add_member change_member merge_members erase_member",
        "add_membership change_membership change_gift change_checkout change_outgoingmail",
        "refund_payment change_payment change_refundorder",
    ],
    "finance": [
        *(NUMBERS, PRICES, SALES, "view_problem"),
        "add_payment refund_payment change_payment change_refundorder change_stripesale",
        "add_plan change_plan add_plancopy change_plancopy delete_plancopy add_price change_price",
    ],
}
OF_USERS = ("view_user", "add_user", "change_user")
# Those who could do it before can still do it.
SPLIT = {
    "change_campaign": ("plan_campaign", "publish_banners", "close_campaign"),
    "add_refundorder": ("refund_payment",),
    "delete_member": ("erase_member", "merge_members"),
}


def make_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for label in ("auth", "auditlog", "campaigns"):
        config: Any = apps.get_app_config(label)
        config.models_module = True  # otherwise its permissions would be made after all migrations
        create_permissions(config, verbosity=0, apps=apps)
        config.models_module = None
    user_model: Any = apps.get_model("auth", "User")
    group_model: Any = apps.get_model("auth", "Group")
    permissions = apps.get_model("auth", "Permission").objects
    ours = permissions.filter(content_type__app_label="campaigns")
    for old, added in SPLIT.items():
        new = ours.filter(codename__in=added)
        for user in user_model.objects.filter(user_permissions__codename=old):
            user.user_permissions.add(*new)
        for group in group_model.objects.filter(permissions__codename=old):
            group.permissions.add(*new)
    for name, parts in ROLES.items():
        group, _is_new = group_model.objects.get_or_create(name=name)
        group.permissions.set(ours.filter(codename__in=" ".join(parts).split()))
    administrator, _is_new = group_model.objects.get_or_create(name="administrator")
    administrator.permissions.set(
        [
            *ours,
            *permissions.filter(content_type__app_label="auth", codename__in=OF_USERS),
            *permissions.filter(content_type__app_label="auditlog", codename="view_logentry"),
        ]
    )


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("auditlog", "0017_add_actor_email"),
        ("campaigns", "0023_notes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="campaign",
            options={
                "permissions": [
                    ("plan_campaign", "Can change a campaign’s dates and settings, and recount it"),
                    ("publish_banners", "Can publish, hide and show banners"),
                    ("close_campaign", "Can close and reopen campaigns"),
                ],
                "verbose_name": "campaign",
                "verbose_name_plural": "campaigns",
            },
        ),
        migrations.AlterModelOptions(
            name="member",
            options={
                "permissions": [
                    ("export_member", "Can download members and sign-ups"),
                    ("erase_member", "Can erase members"),
                    ("merge_members", "Can merge duplicates"),
                ],
                "verbose_name": "member",
                "verbose_name_plural": "members",
            },
        ),
        migrations.AlterModelOptions(
            name="payment",
            options={
                "permissions": [("refund_payment", "Can refund payments")],
                "verbose_name": "payment",
                "verbose_name_plural": "payments",
            },
        ),
        migrations.RunPython(make_roles, migrations.RunPython.noop, elidable=False),
    ]
