"""Claiming a gift by link or code, confirming it by e-mail, and why it may be refused."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import gifts
from campaigns.attempts import count_attempt, read_attempts
from campaigns.emails import links
from campaigns.models import Campaign, Gift, Member, Membership, OptOut, OutgoingMail
from campaigns.models.gift import GiftChange
from campaigns.views import claims
from tests.support.factories import (
    at,
    make_campaign,
    make_gift,
    make_member,
    make_plan,
    record_claim,
)
from tests.support.pages import NOON, error_beside, main_of, read_form

UNKNOWN = "AAAAA-BBBBB-CCCCC-DDDDD"
BEN = {"name": "Ben", "email": "ben@example.org"}


@pytest.fixture(autouse=True)
def noon(db: None) -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def gift(campaign: Campaign) -> Gift:
    return make_gift(
        make_member("ada@example.org"), campaign, "2026-11-09 10:00", message="Read well"
    )


def make_subscribed(member: Member, **changes: Any) -> Membership:
    return Membership.objects.create(
        **{
            "member": member,
            "plan": make_plan(),
            "source": Membership.Source.SUBSCRIPTION,
            "started_at": at("2026-11-05 10:00"),
            "ends_at": at("2026-12-05 10:00"),
            "subscription_id": f"sub_{member.pk}",
        }
        | changes
    )


def confirmation(gift: Gift, member: Member) -> str:
    return f"/claim/confirm/{links.make_confirmation_token(gift, member)}/"


# Link and code


def test_a_probably_misspelt_address_is_questioned_before_the_claim(
    client: Client, gift: Gift
) -> None:
    url = f"/claim/{gift.code}/"
    answer = client.post(url, {"name": "Ben", "email": "ben@gmial.com"})
    assert answer.status_code == 422
    assert "Did you mean ben@gmail.com?" in error_beside(answer, "email")
    again = read_form(answer).fields
    assert client.post(url, again)["Location"] == f"{url}done/"
    assert Gift.objects.get().claimed_by == Member.objects.get(email="ben@gmial.com")


def test_the_typed_code_leads_to_the_claim_page(client: Client, gift: Gift) -> None:
    typed = client.post("/claim/", {"code": gift.code.lower().replace("-", " ")}, follow=True)
    assert "Ada Reader gave you 12 months" in main_of(typed)
    by_link = main_of(client.get(f"/claim/{gift.code}/"))
    for words in ("Read well", "A letter", "already paid for", "9 November 2027", "Claim gift"):
        assert words in by_link
        assert words in main_of(typed)


def test_a_pasted_claim_link_is_as_good_as_the_code(client: Client, gift: Gift) -> None:
    link = links.build_url("claim", code=gift.code)
    assert client.post("/claim/", {"code": f" {link} "})["Location"] == f"/claim/{gift.code}/"
    assert client.post("/claim/", {"code": f"{link}x/"}).status_code == 422


def test_the_same_person_claims_twice_and_sees_success_twice(client: Client, gift: Gift) -> None:
    for _ in range(2):
        page = main_of(client.post(f"/claim/{gift.code}/", BEN, follow=True))
        assert "Your membership has started" in page
        assert "until 10 November 2027" in page
    assert Membership.objects.count() == 1
    page = main_of(client.post(f"/claim/{gift.code}/", {"name": "Eve", "email": "eve@example.org"}))
    assert "This gift has already been claimed" in page
    assert "ben@example.org" not in page


def test_the_claim_pages_are_private(client: Client, gift: Gift) -> None:
    pages = [f"/claim/{gift.code}/", "/claim/", f"/claim/{UNKNOWN}/", "/claim/confirm/x/"]
    for answer in [client.get(page) for page in pages]:
        assert answer["Referrer-Policy"] == "strict-origin"
        assert answer["X-Robots-Tag"] == "noindex"
        assert "no-store" in answer["Cache-Control"]


# Confirmation by an existing member


def test_an_existing_member_confirms_by_email_before_anything_happens(
    client: Client, gift: Gift
) -> None:
    ben = make_member("ben@example.org")
    make_subscribed(ben)
    answer = client.post(f"/claim/{gift.code}/", BEN)
    assert answer.status_code == 200
    page = main_of(answer)
    assert "We’ve e-mailed <strong>ben@example.org</strong>. Open the link" in page
    assert "add 12 months to your membership" in page
    assert f'href="/claim/{gift.code}/">Claim with another e-mail' in page
    gift.refresh_from_db()
    assert gift.status == Gift.Status.PAID
    assert OutgoingMail.objects.get(kind="gift_confirm").member == ben
    # Another address can still claim the gift.
    other = client.post(f"/claim/{gift.code}/", BEN | {"email": "ben@work.example"}, follow=True)
    assert "Your membership has started" in main_of(other)


def test_the_confirmation_page_says_what_changes_and_adds_the_gift_once(
    client: Client, gift: Gift
) -> None:
    ben = make_member("ben@example.org")
    base = make_subscribed(ben)
    url = confirmation(gift, ben)
    page = main_of(client.get(url))
    assert "Add 12 months to your membership" in page
    assert "The membership of ben@example.org" in page
    assert "Your next charge moves from 5 December 2026 to 5 December 2027." in page
    gift.refresh_from_db()
    assert gift.status == Gift.Status.PAID, "looking changes nothing"
    for _ in range(2):
        answer = client.post(url)
        assert (answer.status_code, answer["Location"]) == (303, url)
        page = main_of(client.get(url))
        assert "12 months were added to your membership" in page
        assert "Your next charge is on 5 December 2027" in page
    assert base.extensions.count() == 1


def test_a_fixed_term_membership_is_shown_its_new_end(client: Client, gift: Gift) -> None:
    ben = make_member("ben@example.org")
    record_claim(
        make_gift(make_member(), gift.checkout.campaign, "2026-11-09 10:00"), ben, "2026-11-09"
    )
    url = confirmation(gift, ben)
    page = main_of(client.get(url))
    assert "Your membership will last until 9 November 2028 instead of 9 November 2027." in page
    client.post(url)
    assert "Your membership now lasts until 9 November 2028." in main_of(client.get(url))


def test_near_the_end_of_a_month_no_new_day_is_shown(client: Client, gift: Gift) -> None:
    ben = make_member("ben@example.org")
    base = make_subscribed(ben, ends_at=at("2026-11-30 10:00"))
    url = confirmation(gift, ben)
    assert "Your next charge is postponed by 12 months." in main_of(client.get(url))
    client.post(url)
    base.refresh_from_db()
    assert base.gifted_until == at("2027-11-30 10:00")
    assert "30 November 2027" in main_of(client.get(url))


def test_a_gift_starts_after_the_paid_time_of_a_cancelled_membership(
    client: Client, gift: Gift
) -> None:
    ben = make_member("ben@example.org")
    make_subscribed(ben, is_cancelling=True)
    url = confirmation(gift, ben)
    assert "The gift starts on 5 December 2026" in main_of(client.get(url))
    client.post(url)
    page = main_of(client.get(url))
    assert "It starts on 5 December 2026" in page
    assert "until 5 December 2027" in page


def test_the_code_alone_reveals_no_dates_of_the_extended_membership(
    client: Client, gift: Gift
) -> None:
    ben = make_member("ben@example.org")
    make_subscribed(ben)
    client.post(confirmation(gift, ben))
    answers = [client.get(f"/claim/{gift.code}/done/"), client.get(f"/claim/{gift.code}/")]
    answers.append(client.post(f"/claim/{gift.code}/", BEN, follow=True))
    for page in map(main_of, answers):
        assert "December" not in page
        assert "ben@example.org" not in page


def test_a_confirmation_link_that_no_longer_works_says_why(
    client: Client, gift: Gift, campaign: Campaign
) -> None:
    ben = make_member("ben@example.org")
    url = confirmation(gift, ben)
    assert client.get(f"{url[:-4]}xxx/").status_code == 410
    with time_machine.travel(NOON + timedelta(days=8)):
        answer = client.get(url)
        assert answer.status_code == 410
        assert "the gift can still be claimed" in main_of(answer)
    gifts.resend_gift(gift, with_new_code=True)
    assert "This gift has a new claim code" in main_of(client.post(url))
    gift.refresh_from_db()
    url = confirmation(gift, ben)
    record_claim(gift, make_member(), "2026-11-10 11:00")
    for answer in (client.get(url), client.post(url)):
        assert answer.status_code == 410
        assert "This gift has already been claimed" in main_of(answer)


# Refusals


def test_a_replaced_code_points_to_the_new_one(client: Client, gift: Gift) -> None:
    old = gift.code
    gifts.resend_gift(gift, with_new_code=True)
    assert GiftChange.objects.get().what == GiftChange.What.NEW_CODE
    answers = [client.get(f"/claim/{old}/"), client.get(f"/claim/{old}/done/")]
    answers.append(client.post("/claim/", {"code": old}, follow=True))
    for answer in answers:
        assert answer.status_code == 410
        assert "This gift has a new claim code" in main_of(answer)
        assert "Look for the latest e-mail" in main_of(answer)


def test_a_gift_revoked_by_staff_differs_from_an_unpaid_one(client: Client, gift: Gift) -> None:
    said = {"staff": "revoked it", "money": "Its payment didn’t go through"}
    for cause, words in said.items():
        Gift.objects.update(status="revoked", revoked_at=NOON, revoked_for=cause)
        answer = client.get(f"/claim/{gift.code}/")
        assert (answer.status_code, words in main_of(answer)) == (410, True)


def test_a_confirmation_link_works_after_the_code_key_was_removed(
    client: Client, gift: Gift, settings: LazySettings
) -> None:
    """The link is signed and names the gift, so the claim code isn't needed."""
    url = confirmation(gift, make_member("ben@example.org"))
    assert client.get(url).status_code == 200
    settings.GIFT_CODE_KEY = "another"
    answer = client.post(url, follow=True)
    assert answer.status_code == 200
    gift.refresh_from_db()
    assert gift.status == Gift.Status.CLAIMED


# Guessing


def strip(page: bytes, code: str) -> str:
    """Return a page without its code and its CSRF token."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page.decode())
    return text.replace(code, "")


def test_unknown_and_malformed_codes_get_the_same_answer(client: Client, gift: Gift) -> None:
    codes = (UNKNOWN, "abc", gift.code[:-1], f"{gift.code}X", "a" * 59)
    by_link = [client.get(f"/claim/{code}/") for code in codes]
    done = [client.get(f"/claim/{code}/done/") for code in codes]
    typed = [client.post("/claim/", {"code": code}) for code in codes]
    for answers, status, ending in ((by_link, 404, ""), (done, 404, "done/"), (typed, 422, "")):
        assert {answer.status_code for answer in answers} == {status}, ending
        pairs = zip(answers, codes, strict=True)
        assert len({strip(answer.content, code) for answer, code in pairs}) == 1


def test_wrong_codes_count_on_both_pages_and_right_ones_do_not(client: Client, gift: Gift) -> None:
    for _ in range(30):
        assert client.get(f"/claim/{gift.code}/").status_code == 200
        assert client.post("/claim/", {"code": gift.code}).status_code == 302
    for turn in range(10):
        assert client.get(f"/claim/{UNKNOWN[:-1]}{turn}/").status_code == 404
        assert client.post("/claim/", {"code": f"{turn}"}).status_code == 422
    answers = [
        client.get(f"/claim/{UNKNOWN}/"),
        client.get(f"/claim/{UNKNOWN}/done/"),
        client.get(f"/claim/{gift.code}/"),  # a right code also shows its page
        client.post("/claim/", {"code": gift.code}),
    ]
    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (429, "600")
        assert "Please wait ten minutes" in main_of(answer)
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert other.get(f"/claim/{gift.code}/").status_code == 200


def test_an_empty_code_is_not_a_guess(client: Client) -> None:
    answers = {client.post("/claim/", {"code": " "}).status_code for _ in range(25)}
    assert answers == {422}


def test_many_guessing_clients_are_slowed_and_right_codes_still_work(
    client: Client, gift: Gift
) -> None:
    for number in range(3):
        assert client.get("/claim/abc/", REMOTE_ADDR=f"198.51.100.{number}").status_code == 404
    assert read_attempts("wrong:claim") == 3
    for _ in range(3, claims.WRONG_CODES.overall):
        count_attempt("wrong:claim", seconds=600)
    late = Client(REMOTE_ADDR="192.0.2.8")
    answer = late.get(f"/claim/{UNKNOWN}/")
    assert (answer.status_code, answer["Retry-After"]) == (429, "600")
    assert late.get(f"/claim/{gift.code}/").status_code == 429, "it has guessed before"
    ben = Client(REMOTE_ADDR="192.0.2.9")
    assert ben.get(f"/claim/{gift.code}/").status_code == 200
    assert ben.post(f"/claim/{gift.code}/", BEN).status_code == 302


# Reminders


def opt_out_url(address: str = "ben@example.org") -> str:
    return f"/membership/no-reminders/{links.make_opt_out_token(address)}/"


def test_buttons_stop_and_restart_the_reminders(client: Client) -> None:
    page = client.get(opt_out_url())
    assert "Stop reminders?" in main_of(page)
    assert OptOut.objects.count() == 0, "a scanner that opens links changes nothing"
    for _ in range(2):
        answer = client.post(opt_out_url(), read_form(page).fields | {"want": "none"})
        assert (answer.status_code, answer["Location"]) == (303, opt_out_url())
        assert OptOut.objects.holds("Ben@example.org")
        assert OptOut.objects.count() == 1
    page = client.get(opt_out_url())
    assert "You won’t get any more reminders" in main_of(page)
    client.post(opt_out_url(), read_form(page).fields | {"want": "again"})
    assert not OptOut.objects.holds("ben@example.org")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart"])
def test_one_click_unsubscribe_needs_no_cookie_or_token(kind: str) -> None:
    program = Client(enforce_csrf_checks=True)
    body = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        if kind == "multipart":
            answer = program.post(opt_out_url(), body)
        else:
            answer = program.post(opt_out_url(), "List-Unsubscribe=One-Click", content_type=kind)
        assert answer.status_code == 200
    assert OptOut.objects.holds("ben@example.org")
    assert OptOut.objects.count() == 1


def test_the_opt_out_list_holds_hashes_and_survives_a_new_key(
    client: Client, settings: LazySettings
) -> None:
    opt_out_link = opt_out_url()
    assert "ben" not in opt_out_link
    client.post(opt_out_link)
    assert "ben" not in OptOut.objects.get().address_hash
    settings.GIFT_CODE_KEY_FALLBACKS = [settings.GIFT_CODE_KEY]
    settings.GIFT_CODE_KEY = "newer"
    assert OptOut.objects.holds("ben@example.org")
    client.post(opt_out_link, {"want": "again"})
    assert not OptOut.objects.holds("ben@example.org")


def test_a_changed_link_is_refused_and_stops_no_reminders(client: Client) -> None:
    for answer in (client.get(f"{opt_out_url()[:-3]}x/"), client.post(f"{opt_out_url()[:-3]}x/")):
        assert answer.status_code == 410
        assert "This link no longer works" in main_of(answer)
    assert OptOut.objects.count() == 0


def test_a_gift_is_expired_before_the_job_marks_it(client: Client, gift: Gift) -> None:
    Gift.objects.update(expires_at=timezone.now())
    assert "This gift has expired" in main_of(client.get(f"/claim/{gift.code}/"))
