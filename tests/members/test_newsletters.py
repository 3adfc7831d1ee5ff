"""Newsletters on the account page, and after a change of address."""

import pytest
from django.conf import LazySettings
from django.core import signing
from django.test import Client
from django.utils import timezone

from campaigns import newsletters
from campaigns.members import set_address
from campaigns.models import Subscription
from tests.support.factories import make_member
from tests.support.newsletters import (
    ADA,
    make_newsletter,
    make_subscription,
    path_of,
    statuses,
)
from tests.support.sign_in import open_account_page, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]

URL = "/membership/account/newsletters/"


def test_a_member_gives_and_withdraws_consent_on_the_account_page(client: Client) -> None:
    make_subscription(make_newsletter("morning"))
    make_newsletter("war")
    make_member(ADA)
    sign_in(client)
    page = open_account_page(client)
    assert "Your newsletters" in page
    assert page.count("checked") == 1
    answer = client.post(URL, {"newsletters": ["war"]}, follow=True)
    assert "Newsletters saved." in answer.content.decode()
    assert statuses() == {"morning": "unsubscribed", "war": "confirmed"}
    given = Subscription.objects.get(newsletter__slug="war")
    assert (given.proof, given.confirmed_at is not None) == ("account", True)
    assert given.consent_wording.endswith("[War, every weekday]")
    assert given.form_url == f"http://testserver{URL}"
    client.post(URL, {"newsletters": ["war"], "none": "none"})
    assert statuses() == {"morning": "unsubscribed", "war": "unsubscribed"}


def test_nobody_else_changes_them(client: Client) -> None:
    make_subscription(make_newsletter("morning"))
    answer = client.post(URL, {"none": "none"})
    assert answer["Location"] == "/membership/account/?done=session_ended"
    assert statuses() == {"morning": "confirmed"}


def test_the_page_has_no_newsletters_if_there_are_none(client: Client) -> None:
    make_member(ADA)
    sign_in(client)
    assert "Your newsletters" not in open_account_page(client)


def test_subscriptions_move_to_the_new_address_of_their_reader() -> None:
    ada, now = make_member(ADA), timezone.now()
    new = "ada@new.example"
    morning, war, art = map(make_newsletter, ("morning", "war", "art"))
    make_subscription(morning)
    make_subscription(war)
    make_subscription(war, new, status="unsubscribed")
    make_subscription(art, "ben@example.org")
    set_address(ada, new, at=now)
    rows = Subscription.objects.values_list("email", "newsletter__slug", "status")
    assert set(rows) == {
        (new, "morning", "confirmed"),
        (new, "war", "unsubscribed"),
        ("ben@example.org", "art", "confirmed"),
    }
    assert newsletters.list_choices(ADA)[0].subscription is None


def test_a_request_that_nobody_confirmed_ends_no_subscription(client: Client) -> None:
    """Anybody can type an address, also the one to which a member is about to move."""
    ada, new = make_member(ADA), "ada@new.example"
    morning = make_newsletter("morning")
    make_subscription(morning)
    make_subscription(morning, new, status="pending")
    set_address(ada, new, at=timezone.now())
    [kept] = Subscription.objects.all()
    assert (kept.email, kept.status, kept.proof) == (new, "confirmed", "link")


def test_links_in_a_former_mailbox_only_unsubscribe(client: Client) -> None:
    """Somebody else may read that mailbox now."""
    ada = make_member(ADA)
    subscription = make_subscription(make_newsletter("morning"))
    make_subscription(make_newsletter("war"), status="pending")
    pages = ("confirm", "confirmed", "preferences")
    former = {page: path_of(subscription, page) for page in (*pages, "unsubscribe")}
    assert client.get(former["preferences"]).status_code == 200
    set_address(ada, "ada@new.example", at=timezone.now())
    for page in pages:
        assert client.get(former[page]).status_code == 410
        assert client.post(former[page], {"newsletters": ["war"]}).status_code in {405, 410}
    assert statuses() == {"morning": "confirmed", "war": "pending"}
    subscription.refresh_from_db()
    assert client.get(path_of(subscription, "preferences")).status_code == 200
    client.post(former["unsubscribe"], {"List-Unsubscribe": "One-Click"})
    assert statuses() == {"morning": "unsubscribed", "war": "pending"}


def test_links_survive_a_new_key(client: Client, settings: LazySettings) -> None:
    path = path_of(make_subscription(make_newsletter("morning")), "preferences")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key"
    assert client.get(path).status_code == 200


def test_a_link_of_an_earlier_version_still_works(client: Client) -> None:
    subscription = make_subscription(make_newsletter("morning"))
    token = signing.dumps(subscription.pk, salt="campaigns.newsletter")
    assert client.get(f"/newsletters/preferences/{token}/").status_code == 200
