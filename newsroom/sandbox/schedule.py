"""Work that is due by the sandbox's clock: renewals, retries, expiries, debits, refunds."""

from newsroom.sandbox import checkouts, clock, documents, payments, refunds, subscriptions
from newsroom.sandbox.models import StripeObject


def run_due_objects() -> int:
    """Work on all due objects in order, each at its own time, and return their number.

    This includes objects that become due on the way.
    """
    done = 0
    until = clock.now()
    while True:
        with documents.write_transaction():
            row = StripeObject.objects.filter(due_at__lte=until).order_by("due_at", "seq").first()
            if row is None or row.due_at is None:
                return done
            with clock.set_moment(row.due_at):
                _run_object(row)
        done += 1


def _run_object(row: StripeObject) -> None:
    before = row.due_at
    match row.object:
        case "checkout.session":
            checkouts.expire_session(row)
        case "payment_intent":
            payments.settle_debit(row)
        case "subscription":
            subscriptions.run_due_subscription(row)
        case "invoice":
            payments.retry_invoice(row)
        case "refund":
            refunds.run_due_refund(row)
    after = StripeObject.objects.filter(pk=row.pk).values_list("due_at", flat=True).first()
    if after is not None and after == before:
        raise RuntimeError(f"{row.object} {row.stripe_id} is still due after its work")
