"""A person's timeline: what happened, the newest first."""

import pytest
from django.utils import timezone

from campaigns.models import OutgoingMail
from campaigns.reports.timeline import list_moments
from tests.support.factories import (
    at,
    make_campaign,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    record_claim,
)

pytestmark = pytest.mark.django_db


def test_the_timeline_tells_a_persons_story_the_newest_first() -> None:
    birthday, ada, ben = make_campaign(), make_member("ada@example.org"), make_member()
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    OutgoingMail.objects.create(
        key="receipt:1", kind="receipt", payment=payment, sent_at=at("2026-11-10 12:01")
    )
    make_refund(payment, "2026-11-11 12:00", 1000)
    make_dispute(payment, "2026-11-12 12:00")
    gift = make_gift(ada, birthday, "2026-11-13 12:00")
    record_claim(gift, ben, "2026-11-14 12:00")
    told = [
        (moment.words, moment.row)
        for moment in list_moments(ada, language="en")
        if moment.at < timezone.now() and "record created" not in moment.words
    ]
    assert told[0] == (f"Gift claimed by {ben}", gift)
    words = [each for each, _row in told]
    assert words.index("Bought a gift for Ben") < words.index("Dispute over €60 opened")
    assert words.index("Refunded €10") < words.index("E-mail sent: receipt")
    assert words.index("E-mail sent: receipt") < words.index("Paid €60: first payment")
    assert f"Claimed a gift from {ada}" in [
        moment.words for moment in list_moments(ben, language="en")
    ]
