"""Child process of the webhooks benchmark: processes the events of as many sales as a line says.

It sells memberships at the sandbox, stores their events, and processes one after the other without
a queue. It prints the number of events, how many succeeded, and the seconds it took.
"""

import sys
import time
from uuid import uuid4

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - needs the set-up
from django.utils import timezone  # noqa: E402

from campaigns import checkout as checkouts  # noqa: E402
from campaigns import webhooks  # noqa: E402
from campaigns.models import Campaign, Checkout, Price, StripeEvent  # noqa: E402
from newsroom.sandbox.control import SandboxControl  # noqa: E402
from tests.support.factories import make_campaign, make_price  # noqa: E402


def prepare() -> tuple[Campaign, Price]:
    now = timezone.now()
    campaign = make_campaign(starts_at=now.replace(month=1, day=1), ends_at=now.replace(year=2100))
    price = make_price("year")
    call_command("stripe_setup", "--no-webhook", stdout=sys.stderr)
    price.refresh_from_db()
    return campaign, price


def sell(sandbox: SandboxControl, campaign: Campaign, price: Price, *, times: int) -> None:
    for _ in range(times):
        token = uuid4()
        order = checkouts.Order(
            kind=Checkout.Kind.JOIN,
            price=price,
            email=f"{token.hex}@example.org",
            name="Ada Reader",
            language="en",
            campaign=campaign,
        )
        checkout = checkouts.start_checkout(token, order)
        sandbox.pay(str(checkout.session_id), card="4242424242424242")


def store_new_events(sandbox: SandboxControl) -> list[str]:
    known = set(StripeEvent.objects.values_list("event_id", flat=True))
    new = [event["id"] for event in sandbox.events() if event["id"] not in known]
    for event_id in new:
        body, header = sandbox.sign_event(event_id)
        webhooks.store_event(body.encode(), signature=header)
    return new


def main(sandbox_url: str) -> None:
    sandbox = SandboxControl(sandbox_url)
    campaign, price = prepare()
    print("ready", flush=True)
    for line in sys.stdin:
        sell(sandbox, campaign, price, times=int(line))
        event_ids = store_new_events(sandbox)
        began = time.perf_counter()
        for event_id in event_ids:
            webhooks.work_on_event(event_id)
        seconds = time.perf_counter() - began
        done = StripeEvent.objects.filter(event_id__in=event_ids).exclude(status="failed").count()
        print(len(event_ids), done, seconds, flush=True)
    sandbox.close()


if __name__ == "__main__":
    main(sys.argv[1])
