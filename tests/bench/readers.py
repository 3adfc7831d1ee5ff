"""Child process of a benchmark: readers who ask for a sign-in link, one every two seconds.

Runs in a site's environment for the seconds that are given, and prints how many seconds each
e-mail took. After LONGEST it waits for the next one.
"""

import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402 - needs the set-up

from campaigns import members, tasks  # noqa: E402
from campaigns.models import Member, OutgoingMail  # noqa: E402

EVERY, LONGEST = 2.0, 120.0


def main(seconds: float) -> None:
    until, number = time.monotonic() + seconds, 0
    while (began := time.monotonic()) < until:
        number += 1
        member = Member.objects.create(email=f"waiting{number}@example.org")
        members.request_sign_in_link(member.email, language="en", at=timezone.now())
        tasks.hurry("mails")
        waiting = OutgoingMail.objects.filter(member=member, sent_at=None)
        while waiting.exists() and time.monotonic() < began + LONGEST:
            time.sleep(0.1)
        took = time.monotonic() - began
        print(f"{took:.2f}", flush=True)
        time.sleep(max(0.0, EVERY - took))


if __name__ == "__main__":
    main(float(sys.argv[1]))
