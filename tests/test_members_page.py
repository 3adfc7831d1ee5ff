"""A person's own page: the link to it, what stands there, and what can be changed."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pypdfium2
import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.core import mail as mailbox
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from campaigns import emails, members, settlement, stripe_api
from campaigns.emails import links
from campaigns.models import Campaign, Member, Membership, OutgoingMail, Payment, SignInLink
from newsroom.sandbox.control import SandboxControl
from tests.factories import (
    at,
    claim,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
)
from tests.mails import assert_not_wanted, buy_membership, find_link
from tests.pages import (
    JOIN,
    NOBODY,
    NOON,
    error_beside,
    join_fields,
    main_of,
    read_form,
    start,
)
from tests.racing import race

MINE = "/membership/mine/"
ADA = "ada@example.org"
CARD = "4242424242424242"
MARKUP = '<b>Ada</b> #import "x": * $x$'


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Our clock shows what the sandbox's does."""
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


def ask(client: Client, email: str = ADA) -> Any:
    cache.clear()
    return client.post(MINE, {"email": email})


def read_mail() -> EmailMultiAlternatives:
    """The newest link's mail, sent now."""
    owed = OutgoingMail.objects.filter(kind="sign_in").latest("pk")
    assert emails.deliver_mail(owed.pk)
    sent = mailbox.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def ask_for_link(client: Client, email: str = ADA) -> str:
    """The path of the link in the mail."""
    assert ask(client, email).status_code == 200
    return urlsplit(find_link(read_mail(), f"{MINE}open/")).path


def sign_in(client: Client, email: str = ADA) -> None:
    answer = client.post(ask_for_link(client, email))
    assert (answer.status_code, answer["Location"]) == (303, MINE)


def look(client: Client) -> str:
    answer = client.get(MINE)
    assert answer.status_code == 200
    return main_of(answer)


def is_signed_in(client: Client) -> bool:
    return "Leave my page" in look(client)


def paths_of_ada() -> list[str]:
    """Where Ada's own rows are named in addresses."""
    membership, payment = Membership.objects.get(), Payment.objects.get()
    return [
        f"{MINE}{membership.pk}/cancel/",
        f"{MINE}{membership.pk}/keep/",
        f"{MINE}{membership.pk}/card/",
        f"{MINE}receipts/{payment.pk}.pdf",
    ]


# The link


@pytest.mark.django_db
def test_known_and_unknown_addresses_get_the_same_answer(client: Client) -> None:
    make_member(ADA)
    known, unknown = (ask(client, address) for address in (ADA, "eve@example.org"))
    assert known.status_code == unknown.status_code == 200
    words = "If this address belongs to a membership or a gift, a link is on its way."
    assert f"{words} It works once, within 30 minutes." in main_of(known)
    assert main_of(known).replace(ADA, "eve@example.org") == main_of(unknown)
    assert set(known.headers) == set(unknown.headers)
    assert SignInLink.objects.get().member.email == ADA
    assert OutgoingMail.objects.get().kind == "sign_in"


@pytest.mark.django_db
def test_an_address_is_known_however_it_is_typed_and_what_is_none_is_said(client: Client) -> None:
    make_member(ADA)
    ask(client, "  ADA@Example.ORG ")
    assert SignInLink.objects.count() == 1
    answer = ask(client, "ada at example")
    assert answer.status_code == 422
    assert error_beside(answer, "email").startswith("Please check this address")
    assert read_form(answer).fields["email"] == "ada at example"


@pytest.mark.django_db
def test_a_link_opens_the_page_of_its_person_once(client: Client) -> None:
    make_member(ADA)
    path = ask_for_link(client)
    assert not is_signed_in(client)
    for _ in range(2):  # a mail scanner looks, and uses nothing up
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Open my page" in main_of(answer)
    assert not is_signed_in(client)
    assert client.post(path)["Location"] == MINE
    assert ADA in look(client)
    for again in (Client().get(path), Client().post(path)):
        assert again.status_code == 410
        assert "Send me the link" in main_of(again)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_open_a_link_at_once_one_gets_in(client: Client) -> None:
    make_member(ADA)
    path = ask_for_link(client)
    outcomes = race(*[lambda: Client().post(path).status_code] * 4)
    assert sorted(map(str, outcomes)) == ["303", "410", "410", "410"]


@pytest.mark.django_db
def test_a_link_is_good_for_half_an_hour(client: Client, clock: time_machine.Traveller) -> None:
    make_member(ADA)
    path = ask_for_link(client)
    clock.shift(timedelta(minutes=29))
    assert client.get(path).status_code == 200
    clock.shift(timedelta(minutes=2))
    assert client.get(path).status_code == 410
    assert client.post(path).status_code == 410
    assert not is_signed_in(client)


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "%F0%9F%92%A9", "a:b:c"])
def test_what_is_no_link_is_closed(client: Client, token: str) -> None:
    for answer in (client.get(f"{MINE}open/{token}/"), client.post(f"{MINE}open/{token}/")):
        assert answer.status_code == 410


@pytest.mark.django_db
def test_the_mail_can_be_sent_again_and_the_table_is_not_enough_to_make_its_link(
    client: Client, settings: LazySettings
) -> None:
    make_member(ADA)
    path = ask_for_link(client)
    token = path.rstrip("/").rpartition("/")[2]
    owed = OutgoingMail.objects.get()
    assert emails.owe_again([owed.pk]) == 1
    assert urlsplit(find_link(read_mail(), f"{MINE}open/")).path == path
    for row in (*SignInLink.objects.values(), *OutgoingMail.objects.values()):
        assert token not in str(row)
    assert client.get(f"{MINE}open/{SignInLink.objects.get().secret_hash}/").status_code == 410
    settings.SECRET_KEY = "another-key"
    assert links.sign_in_token(SignInLink.objects.get()) != token
    emails.owe_again([owed.pk])
    assert_not_wanted(owed)  # what it would say opens nothing


@pytest.mark.django_db
def test_a_mail_that_comes_too_late_is_not_sent(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_member(ADA)
    ask(client)
    clock.shift(timedelta(minutes=31))
    assert_not_wanted(OutgoingMail.objects.get())
    ask(client)
    members.open_link(links.sign_in_token(SignInLink.objects.latest("pk")), at=timezone.now())
    assert_not_wanted(OutgoingMail.objects.latest("pk"))


@pytest.mark.django_db
def test_an_old_link_is_forgotten_with_its_mail(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_member(ADA)
    ask_for_link(client)
    clock.shift(timedelta(days=29))
    members.forget_links(at=timezone.now())
    assert SignInLink.objects.count() == OutgoingMail.objects.filter(kind="sign_in").count() == 1
    clock.shift(timedelta(days=2))
    members.forget_links(at=timezone.now())
    assert SignInLink.objects.count() == OutgoingMail.objects.filter(kind="sign_in").count() == 0


@pytest.mark.django_db
def test_whoever_asks_again_and_again_fills_no_mailbox(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_member(ADA)
    first, second = (client.post(MINE, {"email": ADA}) for _ in range(2))
    assert main_of(first) == main_of(second)
    assert SignInLink.objects.count() == 1  # one a minute
    for _ in range(9):
        clock.shift(timedelta(minutes=2))
        ask(client)
    assert SignInLink.objects.count() == 5  # an hour
    clock.shift(timedelta(hours=1))
    ask(client)
    assert SignInLink.objects.count() == 6


@pytest.mark.django_db
def test_one_client_asks_for_so_many_addresses_and_is_then_asked_to_wait(client: Client) -> None:
    statuses = [
        client.post(MINE, {"email": f"reader{number}@example.org"}).status_code
        for number in range(11)
    ]
    assert statuses == [200] * 10 + [429]
    assert client.get(MINE).status_code == 200


@pytest.mark.django_db
def test_no_log_and_no_other_site_learns_the_link(
    client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    make_member(ADA)
    path = ask_for_link(client)
    with caplog.at_level("DEBUG"):
        answers = [client.get(path), client.post(path), client.post(path), client.get(MINE)]
    for answer in answers:
        assert answer["Referrer-Policy"] == "strict-origin"
        assert answer["X-Robots-Tag"] == "noindex"
        assert "no-store" in answer["Cache-Control"]
        assert "private" in answer["Cache-Control"]
    written = caplog.text + "".join(capfd.readouterr())
    token = path.rstrip("/").rpartition("/")[2]
    assert token not in written
    assert ADA not in written


# Who is known, and for how long


@pytest.mark.django_db
def test_the_page_closes_after_an_hour(client: Client, clock: time_machine.Traveller) -> None:
    make_member(ADA)
    sign_in(client)
    clock.shift(timedelta(minutes=59))
    assert is_signed_in(client)
    clock.shift(timedelta(minutes=2))
    assert not is_signed_in(client)
    answer = client.get(f"{MINE}data.json", follow=True)
    assert "your page closes after an hour" in main_of(answer)


@pytest.mark.django_db
def test_the_key_of_the_session_changes_with_the_way_in_and_out(client: Client) -> None:
    make_member(ADA)
    client.cookies["sessionid"] = "planted-by-somebody"
    sign_in(client)
    key = client.cookies["sessionid"].value
    assert key not in {"", "planted-by-somebody"}
    answer = client.post(f"{MINE}leave/", follow=True)
    assert "You have left your page" in main_of(answer)
    assert not is_signed_in(client)
    thief = Client()
    thief.cookies["sessionid"] = key
    assert not is_signed_in(thief)


@pytest.mark.django_db
def test_a_login_of_the_staff_and_a_persons_page_do_not_touch_each_other(
    client: Client, clock: time_machine.Traveller
) -> None:
    staff = User.objects.create_superuser("desk", "desk@example.org", "a long password")
    make_member(ADA)
    client.force_login(staff)
    before = client.session.get_expiry_age()
    assert not is_signed_in(client)  # staff are nobody here
    sign_in(client)
    assert client.session[SESSION_KEY] == str(staff.pk)
    assert client.session.get_expiry_age() == before
    assert client.get("/admin/").status_code == 200
    clock.shift(timedelta(hours=2))
    assert not is_signed_in(client)
    assert client.get("/admin/").status_code == 200
    sign_in(client)
    client.post(f"{MINE}leave/")
    assert client.get("/admin/").status_code == 200
    other = Client()
    sign_in(other)
    assert other.get("/admin/").status_code == 302  # a person is no staff


@pytest.mark.django_db
def test_looking_changes_nothing_and_leaving_is_no_link(client: Client) -> None:
    make_member(ADA)
    sign_in(client)
    assert client.get(f"{MINE}leave/").status_code == 405
    assert is_signed_in(client)


# What stands there


@pytest.fixture
def ada(drive: Campaign) -> Member:
    buy_membership(drive)
    return Member.objects.get()


def test_a_subscription_is_told_in_plain_words(client: Client, ada: Member) -> None:
    sign_in(client)
    page = look(client)
    for words in (
        "Renews on 10 November 2027.",
        "<strong>€60</strong> a year",
        "10 November 2026",
        "Change card, see invoices",
        "Cancel my membership",
    ):
        assert words in page
    assert "Keep my membership" not in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_cancelling": True}, "Cancelled: ends on 10 November 2027"),
        ({"status": "past_due"}, "The last payment did not go through."),
        ({"status": "paused"}, "Paused: nothing is charged."),
        ({"status": "pending"}, "We are still waiting for its first payment."),
        ({"status": "ended", "ended_at": at("2027-02-01 12:00")}, "Ended."),
        ({"gifted_until": at("2028-03-10 12:00")}, "Renews on 10 March 2028. Until then a gift"),
    ],
)
def test_each_state_has_its_words(
    client: Client, ada: Member, changes: dict[str, Any], words: str
) -> None:
    Membership.objects.update(**changes)
    sign_in(client)
    assert words in look(client)


def test_what_ends_by_itself_says_when(client: Client, drive: Campaign) -> None:
    gift = make_gift(make_member(), drive, "2026-11-09 10:00")
    claim(gift, make_member(ADA), "2026-11-10 09:00")
    sign_in(client)
    page = look(client)
    assert "Lasts until 10 November 2027. It ends by itself, and nothing is charged." in page
    assert "A gift" in page
    assert "12 months from Ada Reader" in page
    assert "Change card" not in page
    assert "Cancel my membership" not in page


def test_gifts_that_were_bought_lead_to_the_buyers_page(client: Client, drive: Campaign) -> None:
    gift = make_gift(make_member(ADA), drive, "2026-11-09 10:00")
    sign_in(client)
    page = look(client)
    assert "You have no membership of your own." in page
    assert "0 of 1 claimed." in page
    found = re.search(r'href="(/membership/gifts/[^"]+)"', page)
    assert found
    assert "Ben" in main_of(client.get(found[1]))
    assert gift.code not in page


def test_payments_say_what_became_of_them(client: Client, drive: Campaign) -> None:
    member = make_member(ADA)
    paid = [make_payment(member, drive, f"2026-11-0{day} 10:00") for day in range(1, 6)]
    make_refund(paid[0], "2026-11-06 10:00")
    make_refund(paid[1], "2026-11-06 10:00", 1500)
    make_dispute(paid[2], "2026-11-06 10:00")
    make_dispute(paid[3], "2026-11-06 10:00", status="lost")
    failed = make_payment(member, drive, "2026-11-08 10:00", status="failed")
    sign_in(client)
    page = look(client)
    for words in (
        "Paid back in full.",
        "€15 of it paid back.",
        "your bank has not decided yet",
        "your bank gave it back",
        "Did not go through: nothing was charged.",
    ):
        assert page.count(words) == 1
    assert f"{MINE}receipts/{paid[0].pk}.pdf" in page
    assert f"{MINE}receipts/{failed.pk}.pdf" not in page
    assert client.get(f"{MINE}receipts/{failed.pk}.pdf").status_code == 404


def test_the_page_costs_the_same_queries_for_many_rows(
    client: Client, drive: Campaign, django_assert_max_num_queries: Any
) -> None:
    member = make_member(ADA)
    for day in range(1, 9):
        make_payment(member, drive, f"2026-11-0{day} 10:00")
        make_gift(member, drive, f"2026-11-0{day} 11:00")
    sign_in(client)
    with django_assert_max_num_queries(20):
        client.get(MINE)


def test_names_are_shown_as_they_were_typed(client: Client, ada: Member) -> None:
    Member.objects.update(name=MARKUP)
    sign_in(client)
    assert "&lt;b&gt;Ada&lt;/b&gt;" in look(client)


# Receipts


def read_pdf(content: bytes) -> str:
    with pypdfium2.PdfDocument(content) as pdf:
        assert len(pdf) == 1
        return " ".join(pdf[0].get_textpage().get_text_range().split())


def test_a_receipt_says_who_paid_what_and_when(client: Client, ada: Member) -> None:
    sign_in(client)
    payment = Payment.objects.get()
    assert payment.receipt_url in look(client)
    answer = client.get(f"{MINE}receipts/{payment.pk}.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    text = read_pdf(answer.content)
    for words in (
        "The Meridian Post",
        "Receipt",
        "2045-1187",
        "10 November 2026",
        "Ada Reader",
        ADA,
        "Visa",
        "Member",
        "Paid in all €60",
        str(payment.intent_id),
    ):
        assert words in text


def test_a_receipt_tells_what_was_paid_back_in_the_readers_language(
    client: Client, ada: Member
) -> None:
    payment = Payment.objects.get()
    make_refund(payment, "2026-11-12 10:00", 1500)
    make_dispute(payment, "2026-11-13 10:00")  # while it is open nothing is given back
    sign_in(client)
    address = f"{MINE}receipts/{payment.pk}.pdf"
    text = read_pdf(client.get(address).content)
    assert "Paid back on 12 November 2026 -€15" in text
    assert "Paid in all €45" in text
    assert "12 листопада 2026" in read_pdf(
        client.get(address, headers={"Accept-Language": "uk"}).content
    )
    again = client.get(address).content
    assert again == client.get(address).content


def test_a_receipt_of_a_lost_dispute_says_that_the_bank_gave_it_back(ada: Member) -> None:
    payment = Payment.objects.select_related("member").get()
    make_dispute(payment, "2026-11-13 10:00", status="lost")
    text = read_pdf(members.render_receipt(payment, language="en"))
    assert "Given back by your bank on 13 November 2026 -€60 Paid in all €0" in text


@pytest.mark.parametrize("name", [MARKUP, "W" * 120, "Оксана Іваненко", "\\ #panic() _*`"])
def test_no_name_is_read_as_markup_or_runs_off_the_page(ada: Member, name: str) -> None:
    Member.objects.update(name=name)
    payment = Payment.objects.select_related("member").get()
    text = read_pdf(members.render_receipt(payment, language="en"))
    assert name.replace(" ", "") in re.sub(r"[\s\u200b]", "", text)


# Nobody sees another's


def test_nobody_sees_or_changes_what_is_another_persons(client: Client, ada: Member) -> None:
    eve = make_member("eve@example.org")
    sign_in(client, eve.email)
    page = look(client)
    assert ADA not in page
    assert "You have no membership of your own." in page
    for path in paths_of_ada():
        statuses = {client.get(path).status_code, client.post(path).status_code}
        assert statuses <= {404, 405}, path
    stranger = Client()
    for path in (*paths_of_ada(), f"{MINE}data.json"):
        for answer in (stranger.get(path), stranger.post(path)):
            assert answer.status_code in {303, 405}, path
    data = client.get(f"{MINE}data.json").json()
    assert ADA not in json.dumps(data)
    assert (data["memberships"], data["payments"]) == ([], [])


def test_ones_data_hold_ones_own_rows_alone(client: Client, ada: Member, drive: Campaign) -> None:
    payment = Payment.objects.get()
    OutgoingMail.objects.create(key="receipt:1", kind="receipt", payment=payment)
    OutgoingMail.objects.create(key="dispute:1", kind="dispute", payment=payment)
    gift = make_gift(ada, drive, "2026-11-09 10:00", message="For you, Ben")
    OutgoingMail.objects.create(key="gift:1", kind="gift_claimed", gift=gift)
    OutgoingMail.objects.create(key="gift:2", kind="gift_invitation", gift=gift)
    given = make_gift(
        make_member("cleo@example.org"), drive, "2026-11-09 11:00", buyer_name="Cleo Giver"
    )
    claim(given, ada, "2026-11-10 09:00")
    sign_in(client)
    answer = client.get(f"{MINE}data.json")
    assert answer["Content-Type"] == "application/json"
    assert "attachment" in answer["Content-Disposition"]
    text, data = answer.content.decode(), answer.json()
    assert data["person"]["email"] == ADA
    assert {each["source"] for each in data["memberships"]} == {"subscription", "gift"}
    assert {each["for"] for each in data["payments"]} == {"first", "gift"}
    assert len(data["gifts_bought"]) == len(data["gifts_claimed"]) == 1
    assert {each["kind"] for each in data["mails"]} == {"receipt", "gift_claimed", "sign_in"}
    for others in ("ben@example.org", "Ben", "cleo@example.org", "Cleo Giver", given.code):
        assert others not in text
    assert SignInLink.objects.get().secret_hash not in text


# Cancel, keep, change the card


@pytest.fixture
def subscription(client: Client, drive: Campaign, sandbox: SandboxControl) -> Membership:
    """Ada's, as it came from the sandbox; she has opened her page."""
    checkout = start(client, JOIN, join_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    settlement.settle_checkout(checkout.pk)
    sign_in(client)
    return Membership.objects.get()


def at_stripe(membership: Membership) -> dict[str, Any]:
    assert membership.subscription_id
    return stripe_api.fetch_subscription(membership.subscription_id)


def test_a_membership_is_cancelled_to_the_end_of_what_is_paid_and_kept_again(
    client: Client, subscription: Membership
) -> None:
    path = f"{MINE}{subscription.pk}/cancel/"
    assert f'href="{path}"' in look(client)
    page = main_of(client.get(path))
    assert "You keep your membership until 10 November 2027" in page
    assert not at_stripe(subscription)["cancel_at_period_end"]
    reason = {"feedback": "too_expensive", "comment": "Rent went up.\nSorry!"}
    answer = client.post(path, reason, follow=True)
    assert answer.redirect_chain == [(f"{MINE}?done=cancelled", 303)]
    page = main_of(answer)
    assert "Your membership is cancelled." in page
    assert "Cancelled: ends on 10 November 2027, and nothing more is charged." in page
    known = at_stripe(subscription)
    assert known["cancel_at_period_end"]
    details = known["cancellation_details"]
    assert (details["feedback"], details["comment"]) == (reason["feedback"], reason["comment"])
    subscription.refresh_from_db()
    assert (subscription.status, subscription.is_cancelling) == ("active", True)
    # Sent twice, or opened again: it is cancelled once.
    assert client.post(path, reason)["Location"] == f"{MINE}?done=cancelled"
    answer = client.post(f"{MINE}{subscription.pk}/keep/", follow=True)
    assert "Your membership goes on." in main_of(answer)
    assert "Renews on 10 November 2027." in main_of(answer)
    assert not at_stripe(subscription)["cancel_at_period_end"]
    assert client.post(f"{MINE}{subscription.pk}/keep/")["Location"] == f"{MINE}?done=kept"


def test_no_reason_is_needed(client: Client, subscription: Membership) -> None:
    answer = client.post(f"{MINE}{subscription.pk}/cancel/")
    assert answer["Location"] == f"{MINE}?done=cancelled"
    assert at_stripe(subscription)["cancellation_details"]["feedback"] is None
    made_up = client.post(f"{MINE}{subscription.pk}/cancel/", {"feedback": "made-up"})
    assert made_up.status_code == 303  # it is cancelled already


def test_a_reason_that_is_none_of_ours_is_asked_for_again(
    client: Client, subscription: Membership
) -> None:
    answer = client.post(f"{MINE}{subscription.pk}/cancel/", {"feedback": "made-up"})
    assert answer.status_code == 422
    assert not at_stripe(subscription)["cancel_at_period_end"]


def test_an_end_that_was_set_at_stripe_by_date_is_taken_back_as_well(
    client: Client, subscription: Membership
) -> None:
    assert subscription.subscription_id
    assert subscription.ends_at
    params: Any = {"cancel_at": int(subscription.ends_at.timestamp()) - 3600}
    stripe_api.client().v1.subscriptions.update(subscription.subscription_id, params)
    assert subscription.checkout_id
    settlement.settle_checkout(subscription.checkout_id)
    assert "Keep my membership" in look(client)
    client.post(f"{MINE}{subscription.pk}/keep/")
    assert at_stripe(subscription)["cancel_at"] is None


def test_with_stripe_away_nothing_is_changed_and_the_reason_is_kept(
    client: Client, subscription: Membership, settings: LazySettings
) -> None:
    sandbox_url, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, NOBODY
    path = f"{MINE}{subscription.pk}/cancel/"
    answer = client.post(path, {"feedback": "unused", "comment": "No time"})
    assert answer.status_code == 503
    assert "Nothing was changed" in main_of(answer)
    again = read_form(answer)
    assert (again.action, again.fields["comment"]) == (path, "No time")
    subscription.refresh_from_db()
    assert not subscription.is_cancelling
    card = client.post(f"{MINE}{subscription.pk}/card/")
    assert card.status_code == 503
    settings.STRIPE_API_BASE = sandbox_url
    assert client.post(path, again.fields)["Location"] == f"{MINE}?done=cancelled"
    assert at_stripe(subscription)["cancellation_details"]["comment"] == "No time"


def test_what_stripe_did_and_we_did_not_hear_is_found_out_by_the_sweep(
    client: Client, subscription: Membership, clock: time_machine.Traveller
) -> None:
    members.cancel(subscription)  # and then we died
    clock.shift(timedelta(minutes=2))
    assert settlement.due_checkout_ids(at=timezone.now()) == [subscription.checkout_id]


def test_what_ended_meanwhile_is_not_cancelled_and_the_page_says_how_it_stands(
    client: Client, subscription: Membership
) -> None:
    assert subscription.subscription_id
    stripe_api.client().v1.subscriptions.cancel(subscription.subscription_id)
    answer = client.post(f"{MINE}{subscription.pk}/cancel/", follow=True)
    assert "Ended." in main_of(answer)
    assert "Your membership is cancelled." not in main_of(answer)


def test_the_card_is_changed_on_stripes_own_page(
    client: Client, subscription: Membership, settings: LazySettings
) -> None:
    answer = client.post(f"{MINE}{subscription.pk}/card/")
    assert answer.status_code == 303
    assert answer["Location"].startswith(settings.STRIPE_API_BASE)


def test_an_imported_membership_has_nothing_to_cancel(client: Client, drive: Campaign) -> None:
    membership = Membership.objects.create(
        member=make_member(ADA), source="imported", started_at=at("2024-01-01 10:00")
    )
    sign_in(client)
    assert "Lasts without an end" in look(client)
    assert client.post(f"{MINE}{membership.pk}/cancel/").status_code == 404
