"""A buyer resends and changes gifts until they are claimed."""

import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from campaigns import gifts
from campaigns.models import (
    AttemptCount,
    Campaign,
    Checkout,
    Gift,
    GiftChange,
    OutgoingMail,
)
from campaigns.models.moves import ForbiddenMove
from tests.support.factories import at, make_campaign, make_member, record_claim
from tests.support.gift_purchases import (
    SENT,
    WAITING,
    gift_at,
    make_purchase,
    open_purchase,
    url_of,
)
from tests.support.pages import NOON, error_beside, main_of, read_form


@pytest.fixture(autouse=True)
def noon(db: None) -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


# Resending


def test_a_gift_is_resent_with_the_same_code_once_a_minute(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, SENT, SENT)
    code = gift_at(checkout).code
    answer = client.post(url_of(checkout), {"again": "0"})
    assert answer.status_code == 303
    page = main_of(client.get(answer["Location"]))
    assert "Gift sent." in page
    assert "The e-mail to friend1@example.org" in page
    assert gift_at(checkout).code == code
    answer = client.post(url_of(checkout), {"again": "0"})
    assert "less than a minute ago" in main_of(client.get(answer["Location"]))
    mails = OutgoingMail.objects.filter(kind="gift_invitation")
    assert mails.count() == 1
    client.post(url_of(checkout), {"again": "1"})  # the limit is for each gift
    assert mails.count() == 2
    mails.update(sent_at=NOON, due_at=None)
    AttemptCount.objects.all().delete()
    client.post(url_of(checkout), {"again": "0"})
    assert mails.count() == 3


def test_resending_with_a_new_code_stops_the_old_link(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT)
    old = gift_at(checkout).code
    assert "The old link, code and card stop working immediately." in open_purchase(
        client, checkout
    )
    answer = client.post(url_of(checkout), {"new_code": "0"})
    page = main_of(client.get(answer["Location"]))
    assert "The old link, code and card no longer work." in page
    assert old not in page
    assert gift_at(checkout).code in page
    assert client.get(f"/claim/{old}/").status_code == 410
    assert client.get(f"/claim/{gift_at(checkout).code}/").status_code == 200


def test_a_scheduled_gift_can_be_sent_now(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, WAITING)
    assert "Send gift now" in open_purchase(client, checkout)
    client.post(url_of(checkout), {"again": "0"})
    assert gift_at(checkout).deliver_at == NOON
    assert OutgoingMail.objects.get(kind="gift_invitation").due_at == NOON


@pytest.mark.parametrize("sent", [{"again": "0"}, {"new_code": "0"}])
def test_a_gift_claimed_meanwhile_is_not_resent_and_the_page_shows_its_status(
    client: Client, campaign: Campaign, sent: dict[str, str]
) -> None:
    checkout = make_purchase(campaign, SENT)
    record_claim(gift_at(checkout), make_member(), "2026-11-10 11:59")
    answer = client.post(url_of(checkout), sent)
    assert answer.status_code == 409
    assert "Nothing was changed." in main_of(answer)
    assert "Claimed on 10 November 2026" in main_of(answer)
    assert not OutgoingMail.objects.exists()


def test_a_claim_during_the_resend_is_reported(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT)

    def lose(gift: Gift, **_: Any) -> None:
        record_claim(gift, make_member(), "2026-11-10 11:59")
        raise ForbiddenMove("only an unclaimed gift is sent")

    with patch.object(gifts, "resend_gift", lose):
        answer = client.post(url_of(checkout), {"again": "0"})
    assert answer.status_code == 409
    assert "The gift has just been claimed" in main_of(answer)


# Changing


def change(client: Client, checkout: Checkout, **typed: str) -> HttpResponse:
    url = url_of(checkout, "0/")
    fields = read_form(client.get(url)).fields | select_fields(client, url) | typed
    if fields.get("hand_over") == "":
        del fields["hand_over"]
    return client.post(url, fields)  # type: ignore[return-value]


def select_fields(client: Client, url: str) -> dict[str, str]:
    """Return the selected options as a browser sends them."""
    page = client.get(url).content.decode()
    found = re.findall(r'<select name="(\w+)".*?</select>', page, re.DOTALL)
    return {
        name: re.search(rf'name="{name}".*?value="([^"]*)" selected', page, re.DOTALL)[1]  # type: ignore[index]
        for name in found
    }


def test_a_new_address_of_a_sent_gift_gets_a_new_code_at_once(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, SENT | {"bounced_at": at("2026-11-10 09:00")})
    old = gift_at(checkout).code
    answer = change(client, checkout, recipient_name="Zoe", recipient_email="Zoe@Example.org")
    assert answer.status_code == 303
    page = main_of(client.get(answer["Location"]))
    assert "Changes saved." in page
    assert "came back" not in page.lower()
    gift = gift_at(checkout)
    assert (gift.recipient_name, gift.recipient_email) == ("Zoe", "zoe@example.org")
    assert gift.code != old
    assert OutgoingMail.objects.get(kind="gift_invitation").due_at == NOON
    assert [each.made_by for each in GiftChange.objects.all()] == [None]


def test_a_new_address_that_is_probably_misspelt_is_questioned_once(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, SENT)
    url = f"{url_of(checkout)}0/"
    fields = read_form(client.get(url)).fields | {"recipient_email": "friend@gmial.com"}
    answer = client.post(url, fields)
    assert answer.status_code == 422
    assert "Did you mean friend@gmail.com?" in error_beside(answer, "recipient_email")
    assert client.post(url, read_form(answer).fields).status_code == 303
    assert gift_at(checkout).recipient_email == "friend@gmial.com"
    fields = read_form(client.get(url)).fields | {"recipient_name": "Friend"}
    assert client.post(url, fields).status_code == 303  # the address is known by now


def test_a_corrected_name_sends_no_email(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT)
    old = gift_at(checkout).code
    change(client, checkout, recipient_name="Zoë")
    assert (gift_at(checkout).recipient_name, gift_at(checkout).code) == ("Zoë", old)
    assert not OutgoingMail.objects.exists()


def test_an_unchanged_form_changes_nothing(client: Client, campaign: Campaign) -> None:
    odd = {"deliver_at": at("2026-12-24 08:17"), "expires_at": at("2027-12-24 08:17")}
    checkout = make_purchase(campaign, odd)
    answer = change(client, checkout)
    assert answer["Location"].endswith("?done=same&gift=0")
    assert "nothing was saved" in main_of(client.get(answer["Location"]))
    assert not GiftChange.objects.exists()


def test_a_gift_can_be_handed_over_instead(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT)
    change(client, checkout, hand_over="on", recipient_email="half an addr")
    assert gift_at(checkout).is_handed_over
    assert OutgoingMail.objects.get().kind == "gift_to_pass_on"


def test_a_scheduled_gift_gets_another_day_hour_and_zone(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, WAITING)
    typed = {"deliver_on": "2026-12-31", "deliver_hour": "18", "zone": "America/New_York"}
    assert change(client, checkout, when="date", **typed).status_code == 303
    gift = gift_at(checkout)
    assert (gift.deliver_at, gift.zone) == (at("2026-12-31 23:00"), "America/New_York")
    assert gift.expires_at > at("2027-12-31 00:00")
    assert "31 December 2026, 18:00 (UTC−5)" in open_purchase(client, checkout)
    change(client, checkout, when="now")
    assert gift_at(checkout).deliver_at == NOON


def test_a_delivered_gift_has_no_delivery_fields(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT)
    assert "deliver_on" not in read_form(client.get(url_of(checkout, "0/"))).fields


def test_an_error_is_shown_beside_its_field(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, WAITING)
    answer = change(client, checkout, recipient_email="", when="date", deliver_on="2026-11-01")
    assert answer.status_code == 422
    assert "tick “I’ll hand it over myself”" in error_beside(answer, "recipient_email")
    assert "in the past" in error_beside(answer, "deliver_on")
    assert not GiftChange.objects.exists()


def test_a_gift_claimed_meanwhile_is_not_changed(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT)
    url = url_of(checkout, "0/")
    fields = read_form(client.get(url)).fields | {"recipient_email": "zoe@example.org"}
    record_claim(gift_at(checkout), make_member(), "2026-11-10 11:59")
    for answer in (client.post(url, fields), client.get(url)):
        assert answer.status_code == 409
        assert "Claimed on 10 November 2026" in main_of(answer)
    assert gift_at(checkout).recipient_email == "friend1@example.org"


def test_a_refused_delivery_day_undoes_the_whole_change(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, WAITING)

    def lose(gift: Gift, **_: Any) -> None:
        raise ForbiddenMove("it was delivered already")

    with patch.object(gifts, "change_delivery", lose):
        answer = change(client, checkout, recipient_name="Zoe", when="now")
    assert answer.status_code == 409
    assert gift_at(checkout).recipient_name == "Friend 1"
