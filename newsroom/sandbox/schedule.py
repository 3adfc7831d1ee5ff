"""What the clock brings: everything whose moment has come, one thing after another, each at its
own time.
"""

from newsroom.sandbox import checkouts, clock, documents, payments, refunds, subscriptions
from newsroom.sandbox.models import StripeObject


def run_due_objects() -> int:
    """Does all that is due, and what falls due through it. Answers how many things happened."""
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
    again = StripeObject.objects.filter(pk=row.pk).values_list("due_at", flat=True).first()
    if again is not None and again == before:
        raise RuntimeError(f"{row.object} {row.stripe_id} is due but nothing came of it")
