"""`python -m tests.support.sign_ups FIRST STOP PAUSE`: order memberships, as readers do.

Runs in a site's environment and prints each session's id, so that the caller can pay it.
"""

import sys
import time
from uuid import uuid4

import django

django.setup()

from campaigns import checkout as checkouts  # noqa: E402 - models need Django set up
from campaigns.models import Campaign, Checkout, Price  # noqa: E402


def sign_up(number: int, *, campaign: Campaign, price: Price) -> str:
    order = checkouts.Order(
        kind=Checkout.Kind.JOIN,
        price=price,
        email=f"reader{number}@example.org",
        name=f"Reader {number}",
        language="en",
        campaign=campaign,
    )
    return str(checkouts.start_checkout(uuid4(), order).session_id)


def main(first: int, stop: int, pause: float) -> None:
    campaign = Campaign.objects.get()
    price = Price.objects.select_related("plan").get(kind="once")
    for number in range(first, stop):
        time.sleep(pause)
        session_id = sign_up(number, campaign=campaign, price=price)
        sys.stdout.write(f"{session_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
