"""Sign-up for newsletters: the form, the e-mail and what both never reveal or allow."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from campaigns import newsletters
from campaigns.models import AttemptCount, Campaign, Newsletter, OutgoingMail, Subscription
from tests.support.factories import make_campaign
from tests.support.mails import find_link, read_both_parts
from tests.support.newsletters import (
    ADA,
    PAGE,
    make_newsletter,
    make_subscription,
    send_due_mails,
    sign_up,
    statuses,
)
from tests.support.pages import error_beside, main_of, read_form, tag_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]

WORDING = (
    "By signing up, you ask The Meridian Post to send you the newsletters that you tick. You can "
    "unsubscribe at any time."
)


def find_newsletter(slug: str) -> Newsletter:
    return Newsletter.objects.get(slug=slug)


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture(autouse=True)
def letters() -> None:
    make_newsletter("morning", position=1)
    make_newsletter("war", position=2, name="War notes", frequency="weekly")
    make_newsletter("old", is_offered=False)


def test_the_page_shows_what_is_offered_and_nothing_is_ticked(client: Client) -> None:
    page = client.get(PAGE)
    assert "Morning" in main_of(page)
    assert "Every weekday" in main_of(page)
    assert "old" not in main_of(page)
    assert main_of(page).index("Morning") < main_of(page).index("War notes")
    assert "checked" not in main_of(page)
    assert WORDING in main_of(page)


def test_one_form_signs_up_for_many_and_one_e_mail_confirms_them(
    client: Client, birthday: Campaign
) -> None:
    article = "https://news.example/weir-bridge"
    fields = read_form(client.get(f"{PAGE}?from=signup&page={article}&campaign=birthday")).fields
    answer = sign_up(client, "morning", "war", **{**fields, "email": " Ada@Example.org"})
    assert answer.status_code == 303
    assert "We’ve sent you an e-mail." in main_of(client.get(answer["Location"]))
    assert statuses() == {"morning": "pending", "war": "pending"}
    asked = Subscription.objects.get(newsletter__slug="war")
    assert (asked.email, asked.campaign, asked.placement) == (ADA, birthday, "signup")
    assert (asked.page_url, asked.device) == (article, "")
    assert asked.consent_wording == f"{WORDING} [War notes, every week]"
    assert asked.form_url == "http://testserver/newsletters/"
    [mail] = send_due_mails()
    text, html = read_both_parts(mail)
    for part in (text, html):
        assert "Morning" in part
        assert "War notes" in part
        assert ", every week" in part
        assert "The link works for 7 days." in part
    confirm = find_link(mail, "/newsletters/confirm/")
    page = client.get(confirm)
    assert "a…@example.org" in main_of(page)
    assert statuses() == {"morning": "pending", "war": "pending"}, "scanners open links"
    client.post(confirm, {"newsletters": ["morning", "war"]})
    assert statuses() == {"morning": "confirmed", "war": "confirmed"}


def test_the_list_of_errors_leads_to_the_fields_and_keeps_what_was_typed(client: Client) -> None:
    page = sign_up(client, "war", email="ada@example")
    assert page.status_code == 422
    assert error_beside(page, "email") == (
        "Enter a valid e-mail address, for example name@example.org."
    )
    assert "checked" in tag_of(page, "id_newsletters_1")
    page = sign_up(client)
    assert page.status_code == 422
    assert "Newsletters: Tick at least one newsletter." in main_of(page)
    assert 'value="ada@example.org"' in main_of(page)
    for slug in ("old", "nonsense", "\0"):
        page = sign_up(client, slug)
        assert "This newsletter is no longer offered. Tick another one." in main_of(page)
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("ada@gmial.com", "Did you mean ada@gmail.com?"),
        ("ada@mailinator.com", "mailinator.com is a temporary e-mail service"),
        ("info@news.example", "Several people may read this address"),
    ],
)
def test_a_doubtful_address_is_asked_about_once(client: Client, typed: str, question: str) -> None:
    page = sign_up(client, "war", email=typed)
    assert question in error_beside(page, "email")
    again = read_form(page).fields
    assert sign_up(client, "war", **{**again, "email": typed}).status_code == 303
    assert Subscription.objects.get().email == typed


def test_all_questions_about_an_address_are_asked_at_once(client: Client) -> None:
    page = sign_up(client, "war", email="info@gmial.com")
    for question in ("Did you mean info@gmail.com?", "Several people may read this address"):
        assert main_of(page).count(question) == 2  # in the summary and beside the field
    again = read_form(page).fields
    assert sign_up(client, "war", **{**again, "email": "info@gmial.com"}).status_code == 303


def test_known_and_unknown_addresses_get_the_same_answer(client: Client) -> None:
    make_subscription(find_newsletter("morning"), "known@example.org")
    answers = [
        sign_up(client, "morning", email=address)
        for address in ("known@example.org", "unknown@example.org")
    ]
    assert [each.status_code for each in answers] == [303, 303]
    assert answers[0]["Location"] == answers[1]["Location"]
    known, unknown = send_due_mails()
    assert known.subject == "Your newsletters from The Meridian Post"
    assert "There is nothing to confirm." in read_both_parts(known)[0]
    assert "/newsletters/preferences/" in find_link(known, "/newsletters/preferences/")
    assert "List-Unsubscribe" not in known.extra_headers
    assert unknown.subject == "Confirm your newsletters from The Meridian Post"
    kept = Subscription.objects.get(email="known@example.org")
    assert kept.consent_wording == "By signing up", "the consent that it got first"


def test_an_address_gets_two_e_mails_a_day_and_either_link_confirms_all(client: Client) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_up(client, "morning")
        [first] = send_due_mails()
        clock.shift(timedelta(hours=20))
        for _ in range(3):
            assert sign_up(client, "war").status_code == 303
        assert len(send_due_mails()) == 1
        clock.shift(timedelta(hours=5))
        sign_up(client, "war")
        sign_up(client, "war")
        assert len(send_due_mails()) == 1, "two within any 24 hours"
        client.post(find_link(first, "/newsletters/confirm/"), {"newsletters": ["morning", "war"]})
    assert statuses() == {"morning": "confirmed", "war": "confirmed"}


def test_tags_in_an_address_are_no_mail_bomb(client: Client) -> None:
    for number in range(20):
        assert sign_up(client, "morning", email=f"ada+{number}@example.org").status_code == 303
    sign_up(client, "morning", email="ada@example.net")
    receivers = [mail.to[0] for mail in send_due_mails()]
    assert receivers == [*(f"ada+{number}@example.org" for number in range(6)), "ada@example.net"]


def test_ten_thousand_sign_ups_from_one_network_are_no_mail_bomb(client: Client) -> None:
    answers = [sign_up(client, "war", email=f"reader{n}@example.org") for n in range(40)]
    assert [each.status_code for each in answers] == [303] * 30 + [429] * 10
    page = answers[-1].content.decode()
    assert 'name="newsletters" value="war"' in page, "nothing typed is lost"
    AttemptCount.objects.update(count=10_000)
    AttemptCount.objects.filter(ends_at__lt=timezone.now() + timedelta(hours=1)).delete()
    late = sign_up(client, "war", email="late@example.org")
    assert late.status_code == 422
    assert "too many sign-ups from your network today" in main_of(late)
    assert "This form wasn’t sent" in main_of(late)
    assert "Please check" not in main_of(late)
    assert OutgoingMail.objects.count() == 30


def test_a_form_on_a_foreign_page_needs_no_token_and_keeps_its_language(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(
        f"{PAGE}?from=signup&page=https://other.example/a&title=Bridge",
        {"newsletters": "war", "email": ADA, "language": "uk", "campaign": "none"},
        headers={"Referer": "https://other.example/", "Origin": "https://other.example"},
    )
    assert answer.status_code == 303
    assert answer["Location"] == "/newsletters/sent/?language=uk", "no way back to strangers"
    asked = Subscription.objects.get()
    assert (asked.language, asked.page_url) == ("uk", "https://other.example/a")
    assert (asked.page_title, asked.placement) == ("Bridge", "signup")
    assert asked.form_url == "https://other.example/"
    assert asked.campaign is None


def test_the_origin_survives_an_error(client: Client) -> None:
    url = f"{PAGE}?from=signup&page=https://other.example/a"
    wrong = client.post(url, {"newsletters": "war", "email": "ada@gmial.com"})
    fields = read_form(wrong).fields | {"email": ADA, "newsletters": "war"}
    assert client.post(PAGE, fields).status_code == 303
    asked = Subscription.objects.get()
    assert (asked.placement, asked.page_url) == ("signup", "https://other.example/a")


def test_the_way_back_leads_to_the_newspaper_alone(client: Client) -> None:
    article = "http://testserver/articles/bridge"
    for page, is_link in (
        (article, False),
        ("http://127.0.0.1:8000/a", True),
        ("javascript:1", False),
    ):
        shown = main_of(client.get(f"{PAGE}sent/", {"page": page}))
        assert ("Back to the article" in shown) is is_link


def test_a_request_that_nobody_confirms_is_forgotten_after_a_month(client: Client) -> None:
    sign_up(client, "war")
    gone = make_subscription(find_newsletter("morning"), "left@example.org", status="unsubscribed")
    sign_up(client, "morning", email=gone.email)
    at = timezone.now()
    assert not newsletters.select_old_requests(at=at + timedelta(days=29)).exists()
    old = newsletters.select_old_requests(at=at + timedelta(days=31))
    assert [each.email for each in old] == [ADA], "the other row says that its reader left"
