"""The pages behind signed links: confirm, preferences, unsubscribe."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail as mailbox
from django.test import Client
from django.utils import timezone

from campaigns import newsletters
from campaigns.models import Subscription
from tests.support.factories import make_campaign
from tests.support.newsletters import (
    ADA,
    make_newsletter,
    make_subscription,
    path_of,
    send_due_mails,
    sign_up,
    statuses,
)
from tests.support.pages import main_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def asked(client: Client) -> Subscription:
    for slug in ("morning", "war"):
        make_newsletter(slug)
    sign_up(client, "morning", "war")
    return Subscription.objects.get(newsletter__slug="morning")


def test_a_reader_can_confirm_some_of_them(client: Client, asked: Subscription) -> None:
    confirm = path_of(asked, "confirm")
    page = client.post(confirm)
    assert page.status_code == 422
    assert "Tick at least one newsletter." in main_of(page)
    make_campaign()
    answer = client.post(confirm, {"newsletters": "war"}, follow=True)
    assert statuses() == {"morning": "pending", "war": "confirmed"}
    thanks = main_of(answer)
    assert "Thank you. You’re subscribed." in thanks
    assert 'href="/campaign/birthday/join/?from=confirmed"' in thanks
    assert 'href="/campaign/birthday/gift/?from=confirmed"' in thanks
    assert (
        "of 1,000 new members" in " ".join(thanks.replace("<", " <").split()) or "1,000" in thanks
    )
    confirmed = Subscription.objects.get(newsletter__slug="war")
    assert (confirmed.proof, confirmed.confirmed_at is not None) == ("link", True)


def test_a_link_confirms_for_seven_days(client: Client, asked: Subscription) -> None:
    confirm = path_of(asked, "confirm")
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert client.get(confirm).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        page = client.post(confirm, {"newsletters": "war"})
        assert page.status_code == 410
        assert "works for 7 days" in main_of(page)
    assert statuses() == {"morning": "pending", "war": "pending"}
    for path in ("x", path_of(asked, "confirm")[len("/newsletters/confirm/") : -2]):
        assert client.get(f"/newsletters/confirm/{path}/").status_code == 410


def test_a_second_click_changes_nothing(client: Client, asked: Subscription) -> None:
    confirm = path_of(asked, "confirm")
    client.post(confirm, {"newsletters": ["morning", "war"]})
    first = Subscription.objects.get(newsletter__slug="war").confirmed_at
    for answer in (client.post(confirm, {"newsletters": "war"}), client.get(confirm)):
        assert answer.status_code == 303
        assert "/newsletters/confirmed/" in answer["Location"]
    assert Subscription.objects.get(newsletter__slug="war").confirmed_at == first


def test_an_old_link_does_not_bring_back_who_left(client: Client, asked: Subscription) -> None:
    client.post(path_of(asked, "confirm"), {"newsletters": ["morning", "war"]})
    client.post(path_of(asked, "unsubscribe"))
    assert statuses() == {"morning": "unsubscribed", "war": "confirmed"}
    client.post(path_of(asked, "confirm"), {"newsletters": ["morning", "war"]})
    assert statuses() == {"morning": "unsubscribed", "war": "confirmed"}


def test_one_click_unsubscribes_as_mail_programs_do_it(asked: Subscription) -> None:
    strict = Client(enforce_csrf_checks=True)
    newsletters.confirm_pending(ADA, newsletters=["morning", "war"], at=timezone.now())
    url = path_of(asked, "unsubscribe")
    page = strict.get(url)
    assert "Unsubscribe from “Morning”?" in main_of(page)
    assert statuses()["morning"] == "confirmed"
    answer = strict.post(url, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"Unsubscribed.")
    assert statuses() == {"morning": "unsubscribed", "war": "confirmed"}
    assert "You’re unsubscribed" in main_of(strict.get(url))
    ended = Subscription.objects.get(pk=asked.pk)
    assert (ended.cause, ended.ended_at is not None) == ("reader", True)


def test_the_confirmation_can_be_refused_with_one_click(
    client: Client, asked: Subscription
) -> None:
    [mail] = send_due_mails()
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail.extra_headers["List-Unsubscribe"].strip("<>")
    client.post(url, {"List-Unsubscribe": "One-Click"})
    assert statuses() == {"morning": "unsubscribed", "war": "unsubscribed"}
    assert "Nothing to confirm" in main_of(client.get(path_of(asked, "confirm")))


def test_preferences_show_and_change_what_an_address_gets(
    client: Client, asked: Subscription
) -> None:
    make_subscription(make_newsletter("old", is_offered=False), "other@example.org")
    make_subscription(make_newsletter("kept", is_offered=False))
    newsletters.confirm_pending(ADA, newsletters=["morning"], at=timezone.now())
    url = path_of(asked, "preferences")
    page = main_of(client.get(url))
    assert "a…@example.org" in page
    assert ADA not in page, "letters are forwarded, and their links with them"
    assert "Kept" in page
    assert "Old" not in page
    saved = client.post(url, {"newsletters": ["war"]}, follow=True)
    assert "Newsletters saved." in main_of(saved)
    own = {each.newsletter.slug: each for each in Subscription.objects.of(ADA)}
    assert {slug: each.status for slug, each in own.items()} == {
        "morning": "unsubscribed",
        "war": "confirmed",
        "kept": "unsubscribed",
    }
    assert "[War, every weekday]" in own["war"].consent_wording
    assert own["war"].form_url == "http://testserver/newsletters/preferences/"
    client.post(url, {"newsletters": ["war"], "none": "none"})
    assert Subscription.objects.confirmed().get().email == "other@example.org"
    assert len(mailbox.outbox) == 0


def test_links_of_a_deleted_address_are_closed(client: Client, asked: Subscription) -> None:
    newsletters.erase_subscriptions([ADA], at=timezone.now())
    for page in ("confirm", "confirmed", "preferences", "unsubscribe"):
        for answer in (client.get(path_of(asked, page)),):
            assert answer.status_code == 410
            assert answer["Referrer-Policy"] == "strict-origin"


def test_who_unsubscribed_and_is_asked_for_again_still_counts_as_gone(client: Client) -> None:
    gone = make_subscription(make_newsletter("war"), status="unsubscribed")
    sign_up(client, "war")
    gone.refresh_from_db()
    assert (gone.status, gone.confirmed_at, gone.cause) == ("pending", None, "reader")
    assert gone.ended_at is not None, "anybody can ask, so the file still says it"
