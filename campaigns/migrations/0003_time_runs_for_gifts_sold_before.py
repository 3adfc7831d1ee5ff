from typing import Any

from django.db import migrations
from django.db.models import F

ENDED = ["revoked", "expired"]
BATCH = 500


def let_time_run(apps: Any, schema_editor: Any) -> None:
    """Gifts sold before had no timeline, and one mail a gift instead of one a purchase."""
    Gift = apps.get_model("campaigns", "Gift")
    OutgoingMail = apps.get_model("campaigns", "OutgoingMail")
    gifts = Gift.objects.filter(next_step_at__isnull=True).exclude(status__in=ENDED)
    # The sweep reckons from there what is due, and takes only the last of several steps.
    while some := list(gifts.values_list("pk", flat=True)[:BATCH]):
        Gift.objects.filter(pk__in=some).update(next_step_at=F("paid_at"))
    mails = OutgoingMail.objects.filter(kind="gift_bought", checkout__isnull=True)
    known = mails.filter(gift__position=0).values_list("pk", "gift__checkout")
    for mail_id, checkout_id in known.iterator(chunk_size=500):
        of_purchase = f"gift_bought:{checkout_id}"
        if not OutgoingMail.objects.filter(key=of_purchase).exists():
            mails.filter(pk=mail_id).update(key=of_purchase, checkout=checkout_id)


class Migration(migrations.Migration):
    # In no transaction as a whole: some rows are locked at a time, under live traffic.
    atomic = False

    dependencies = [("campaigns", "0002_whole_life_of_a_gift")]

    operations = [migrations.RunPython(let_time_run, migrations.RunPython.noop)]
