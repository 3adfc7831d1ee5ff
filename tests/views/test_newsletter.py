"""Newsletters in the order forms and on the page that thanks a buyer."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import erasures, members
from campaigns.models import Campaign, Member, Newsletter, OutgoingMail, Subscription
from newsroom.sandbox.control import SandboxControl
from tests.support.newsletters import ADA, make_newsletter, make_subscription, statuses
from tests.support.pages import (
    GIFT,
    GIFTS,
    JOIN,
    UNREACHABLE,
    gift_fields,
    gift_list_fields,
    join_fields,
    main_of,
    read_form,
    start_order,
    tag_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def letters() -> None:
    make_newsletter("morning")
    make_newsletter("war")


@pytest.mark.parametrize("url", [JOIN, GIFT, GIFTS])
def test_the_boxes_are_unticked_and_only_there_if_something_is_offered(
    client: Client, campaign: Campaign, url: str
) -> None:
    page = client.get(url)
    assert "Newsletters (optional)" in main_of(page)
    assert "checked" not in tag_of(page, "id_newsletters_0")
    Newsletter.objects.update(is_offered=False)
    assert "newsletter" not in main_of(client.get(url))


def test_a_reader_who_ticks_nothing_asks_for_nothing(client: Client, campaign: Campaign) -> None:
    start_order(client, JOIN, join_fields(client))
    assert not Subscription.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_a_ticked_newsletter_waits_for_its_own_confirmation(
    client: Client, campaign: Campaign
) -> None:
    for number, (url, fields) in enumerate(
        (
            (JOIN, join_fields(client)),
            (GIFT, gift_fields(client)),
            (GIFTS, gift_list_fields(client, ("Ben", "", ""))),
        )
    ):
        email = f"ada{number}@example.org"
        start_order(client, url, fields | {"newsletters": ["war"], "email": email})
        asked = Subscription.objects.get(email=email)
        assert (asked.newsletter.slug, asked.status) == ("war", "pending")
        assert asked.campaign == campaign
        assert asked.consent_wording.endswith("[War, every weekday]")
        assert asked.form_url == f"http://testserver{url}"
    assert Subscription.objects.get(email="ada0@example.org").placement == "end"
    assert set(OutgoingMail.objects.values_list("kind", flat=True)) == {"newsletter"}


def test_the_ticks_survive_errors_more_rows_and_an_outage(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    fields = gift_list_fields(client, ("Ben", "", ""))
    ticked = fields | {"newsletters": ["morning", "war"]}
    for more in ({"email": "x"}, {"more": "more"}, {"paste": "Cleo", "read": "read"}):
        page = client.post(GIFTS, ticked | more)
        for box in ("id_newsletters_0", "id_newsletters_1"):
            assert "checked" in tag_of(page, box), more
    assert not Subscription.objects.exists()
    settings.STRIPE_API_BASE = UNREACHABLE
    page = client.post(JOIN, join_fields(client) | {"newsletters": ["morning", "war"]})
    assert page.status_code == 503
    assert page.content.decode().count('name="newsletters"') == 2
    assert "[" not in main_of(page).partition("What you typed")[2]


def test_the_thank_you_page_offers_what_was_not_asked_for(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=1)):
        make_subscription(Newsletter.objects.get(slug="morning"))
    checkout = start_order(client, JOIN, join_fields(client) | {"newsletters": ["war"]})
    sandbox.pay(str(checkout.session_id))
    page = client.get(f"/membership/thanks/{checkout.pk}/")
    offered = main_of(page)
    assert "Would you like our newsletters, too?" in offered
    assert 'value="morning"' in offered, "it doesn't reveal what the address gets"
    assert 'value="war"' not in offered
    fields = read_form(page).fields
    assert (fields["email"], fields["origin"]) == (ADA, "from=thanks")
    answer = client.post("/newsletters/", fields | {"newsletters": ["morning"]})
    assert answer.status_code == 303


def test_a_persons_data_has_the_subscriptions_and_an_erasure_deletes_them(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    kept = make_subscription(Newsletter.objects.get(slug="war"), "ben@example.org")
    checkout = start_order(client, JOIN, join_fields(client) | {"newsletters": ["war"]})
    sandbox.pay(str(checkout.session_id))
    client.get(f"/membership/thanks/{checkout.pk}/")
    ada = Member.objects.get(email=ADA)
    [about] = members.gather_data(ada)["newsletters"]
    assert (about["newsletter"], about["status"]) == ("war", "pending")
    assert about["agreed_to"].endswith("[War, every weekday]")
    assert about["came_from"] == {"placement": "end"}
    erasures.end_purchases(ada)
    erasures.request_erasure(ada)
    erasures.strip_rows(ada.pk, at=timezone.now())
    assert list(Subscription.objects.all()) == [kept]
    assert statuses() == {"war": "confirmed"}
    assert not OutgoingMail.objects.filter(kind="newsletter").exists()
