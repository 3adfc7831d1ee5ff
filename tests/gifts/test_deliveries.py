"""The delivery of a gift: once, to the right address, with a notice to its buyer."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.mail import EmailMultiAlternatives

from campaigns import actions, emails, gifts, jobs
from campaigns.emails import messages, outbox
from campaigns.models import Campaign, Gift, OutgoingMail
from campaigns.models.moves import ForbiddenMove
from newsroom.sandbox.control import SandboxControl
from tests.support.due import list_due
from tests.support.factories import at, make_campaign, make_gift, make_member
from tests.support.refunds import three_gifts as _three_gifts
from tests.support.sales import buy

three_gifts = _three_gifts  # a fixture

NOW = at("2026-11-10 12:00")


def invitations() -> list[OutgoingMail]:
    kinds = ("gift_invitation", "gift_to_pass_on")
    return list(OutgoingMail.objects.filter(kind__in=kinds).order_by("pk"))


def subjects(mailoutbox: list[Any], to: str) -> list[str]:
    return [mail.subject for mail in mailoutbox if mail.to == [to]]


@pytest.fixture
def scheduled(db: None) -> Gift:
    """A gift to be delivered ten days later."""
    campaign: Campaign = make_campaign()
    gift = make_gift(make_member("ada@example.org"), campaign, "2026-11-10 12:00")
    with time_machine.travel(NOW, tick=False):
        gifts.change_delivery(gift, deliver_at=NOW + timedelta(days=10))
    gift.refresh_from_db()
    return gift


def test_gifts_to_hand_over_are_delivered_by_the_confirmation_of_the_purchase(
    three_gifts: list[Gift], mailoutbox: list[Any]
) -> None:
    jobs.run_due_jobs("mails", "deliveries", "banners")
    assert len(subjects(mailoutbox, "ada@example.org")) == 2  # the receipt and the gift links
    assert set(Gift.objects.values_list("status", flat=True)) == {"delivered"}
    assert invitations() == []


def test_a_changed_date_moves_the_invitation(scheduled: Gift, mailoutbox: list[Any]) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        gifts.change_delivery(scheduled, deliver_at=NOW + timedelta(days=20))
        clock.move_to(NOW + timedelta(days=19))
        jobs.run_due_jobs()
        assert mailoutbox == []
        clock.move_to(NOW + timedelta(days=21))
        jobs.run_due_jobs()
        jobs.run_due_jobs()
        assert len(subjects(mailoutbox, "ben@example.org")) == 1
        clock.move_to(NOW + timedelta(days=21, minutes=2))
        jobs.run_due_jobs()
        assert len(subjects(mailoutbox, "ada@example.org")) == 1  # the notice of the delivery
        with pytest.raises(ForbiddenMove):
            gifts.change_delivery(scheduled, deliver_at=NOW + timedelta(days=30))


def test_a_changed_recipient_gets_a_new_code_only_after_the_delivery(
    scheduled: Gift, mailoutbox: list[Any]
) -> None:
    printed = scheduled.code
    with time_machine.travel(NOW, tick=False) as clock:
        gifts.change_recipient(scheduled, name="Cleo", email="cleo@example.org")
        clock.move_to(NOW + timedelta(days=11))
        jobs.run_due_jobs()
        assert subjects(mailoutbox, "ben@example.org") == []
        assert printed in mailoutbox[0].body
        gifts.change_recipient(scheduled, name="Dan", email="dan@example.org")
        jobs.run_due_jobs()
        [invitation] = [mail for mail in mailoutbox if mail.to == ["dan@example.org"]]
        assert printed not in invitation.body
        assert gifts.find_gift(printed) is None
        assert gifts.is_replaced(printed)


def test_a_gift_to_hand_over_is_sent_to_the_buyer_on_the_day(
    scheduled: Gift, mailoutbox: list[Any]
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        gifts.change_recipient(scheduled, name="Ben", email="")
        clock.move_to(NOW + timedelta(days=11))
        jobs.run_due_jobs()
        assert subjects(mailoutbox, "ben@example.org") == []
        [delivery] = mailoutbox
        assert delivery.to == ["ada@example.org"]
        assert scheduled.code in delivery.body


def test_two_clicks_on_resend_send_one_mail(scheduled: Gift, mailoutbox: list[Any]) -> None:
    with time_machine.travel(NOW, tick=False):
        gifts.resend_gift(scheduled)
        gifts.resend_gift(scheduled)
        jobs.run_due_jobs("mails", "deliveries", "banners")
        assert len(subjects(mailoutbox, "ben@example.org")) == 1
        gifts.resend_gift(scheduled, with_new_code=True)
        jobs.run_due_jobs("mails", "deliveries", "banners")
    [first, second] = [mail.body for mail in mailoutbox if mail.to == ["ben@example.org"]]
    scheduled.refresh_from_db()
    assert scheduled.code in second
    assert scheduled.code not in first


def test_a_claimed_gift_is_not_sent(scheduled: Gift, mailoutbox: list[Any]) -> None:
    actions.claim_gift(scheduled.code, email="ben@example.org", name="Ben", language="en")
    with pytest.raises(ForbiddenMove):
        gifts.resend_gift(scheduled)
    with pytest.raises(ForbiddenMove):
        gifts.change_recipient(scheduled, name="Dan", email="dan@example.org")
    with time_machine.travel(NOW + timedelta(days=11), tick=False):
        jobs.run_due_jobs()
    assert not any(
        "has given you" in subject for subject in subjects(mailoutbox, "ben@example.org")
    )


def test_the_buyer_gets_an_email_if_the_provider_refuses_the_address(
    scheduled: Gift, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = EmailMultiAlternatives.send

    def refuse(letter: EmailMultiAlternatives, *args: Any, **kwargs: Any) -> int:
        if letter.to == ["ben@example.org"]:
            raise SMTPRecipientsRefused({"ben@example.org": (550, b"no such user")})
        return send(letter, *args, **kwargs)

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    with time_machine.travel(NOW + timedelta(days=11), tick=False):
        jobs.run_due_jobs("mails", "deliveries", "banners")
        jobs.run_due_jobs("mails", "deliveries", "banners")
    scheduled.refresh_from_db()
    assert scheduled.bounced_at is not None
    assert (scheduled.status, scheduled.delivered_at) == ("paid", None)
    [notice] = mailoutbox
    assert notice.to == ["ada@example.org"]
    failed = invitations()[-1]
    assert failed.failed_at is not None
    assert failed.due_at is None


def test_codes_stay_valid_when_the_code_key_changes(
    scheduled: Gift, settings: LazySettings
) -> None:
    sold = scheduled.code
    settings.GIFT_CODE_KEY_FALLBACKS = [settings.GIFT_CODE_KEY]
    settings.GIFT_CODE_KEY = "another-key-of-at-least-thirty-two-characters"
    scheduled.refresh_from_db()
    assert scheduled.code == sold
    assert gifts.find_gift(sold.lower().replace("-", " ")) == scheduled
    gifts.resend_gift(scheduled, with_new_code=True)
    scheduled.refresh_from_db()
    settings.GIFT_CODE_KEY_FALLBACKS = []
    assert gifts.find_gift(scheduled.code) == scheduled  # derived by the new key
    assert scheduled.code != sold


def test_a_code_sent_to_a_wrong_address_is_replaced(scheduled: Gift) -> None:
    """The provider has accepted the e-mail, and the delivery is not recorded yet."""
    sent_code = scheduled.code
    with time_machine.travel(NOW + timedelta(days=10, minutes=1), tick=False):
        assert emails.deliver_mail(invitations()[0].pk)
        gifts.change_recipient(scheduled, name="Eve", email="eve@example.org")
    scheduled.refresh_from_db()
    assert scheduled.code != sent_code
    assert gifts.is_replaced(sent_code)


def test_a_resend_does_not_repeat_a_mail_that_is_being_sent(
    scheduled: Gift, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = messages.send_mail

    def send_slowly(mail: OutgoingMail) -> str:
        monkeypatch.setattr(outbox, "send_mail", send)
        gifts.resend_gift(scheduled)  # a click while a worker sends the e-mail
        jobs.run_due_jobs("mails", "deliveries", "banners")
        return send(mail)

    monkeypatch.setattr(outbox, "send_mail", send_slowly)
    with time_machine.travel(NOW + timedelta(days=10, minutes=1), tick=False):
        assert emails.deliver_mail(invitations()[0].pk)
    assert len(subjects(mailoutbox, "ben@example.org")) == 1


def test_mails_without_a_code_need_no_code_key(
    scheduled: Gift, settings: LazySettings, mailoutbox: list[Any]
) -> None:
    actions.claim_gift(scheduled.code, email="cleo@example.org", name="Cleo", language="en")
    settings.GIFT_CODE_KEY = "a-new-key-of-at-least-thirty-two-characters"
    jobs.run_due_jobs("mails", "deliveries", "banners")
    mails = OutgoingMail.objects.filter(kind="gift_claimed")
    assert [mail.sent_at is not None for mail in mails] == [True]


def test_a_gift_for_a_later_day_is_not_delivered_before(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    day = NOW + timedelta(days=30)
    wanted = {"recipient_name": "Ben", "recipient_email": "ben@example.org"}
    with time_machine.travel(NOW, tick=False):
        wanted |= {"deliver_at": day.isoformat(), "zone": "Asia/Tokyo"}
        gift = buy_gift(campaign, sandbox, wanted)
    assert (gift.deliver_at, gift.zone, gift.status) == (day, "Asia/Tokyo", "paid")
    [invitation] = invitations()
    assert invitation.due_at == day
    assert invitation.pk not in list_due("mails", at=day - timedelta(seconds=1))
    assert gift.expires_at == day + timedelta(days=365)


def test_a_delivery_date_before_the_payment_means_now(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    wanted = {"recipient_email": "ben@example.org", "deliver_at": "2026-11-01T09:00:00+00:00"}
    gift = buy_gift(campaign, sandbox, wanted)
    assert gift.deliver_at == gift.paid_at


def buy_gift(campaign: Campaign, sandbox: SandboxControl, wanted: dict[str, str]) -> Gift:
    buy(campaign, sandbox, "gift", typed={"gifts": [wanted]})
    return Gift.objects.get()
