"""Consent to the newsletter: asked for on the order forms, kept with its wording and time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from campaigns import erasures, members
from campaigns.models import Campaign, Checkout, Member
from newsroom.sandbox.control import SandboxControl
from tests.support.pages import (
    GIFT,
    GIFTS,
    JOIN,
    NOON,
    gift_fields,
    gift_list_fields,
    join_fields,
    main_of,
    read_form,
    sessions,
    start_order,
    tag_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]

WORDING = "Send me the newsletter of The Meridian Post. I can unsubscribe at any time."


@pytest.fixture(autouse=True)
def clock(settings: LazySettings) -> Iterator[time_machine.Traveller]:
    settings.ASK_NEWSLETTER = True
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.mark.parametrize("url", [JOIN, GIFT, GIFTS])
def test_the_box_is_shown_unticked_and_only_if_the_newsroom_asks(
    client: Client, campaign: Campaign, settings: LazySettings, url: str
) -> None:
    page = client.get(url)
    assert WORDING in main_of(page)
    assert "checked" not in tag_of(page, "id_newsletter")
    settings.ASK_NEWSLETTER = False
    assert "newsletter" not in main_of(client.get(url))


def test_a_reader_who_leaves_the_box_agrees_to_nothing(client: Client, campaign: Campaign) -> None:
    checkout = start_order(client, JOIN, join_fields(client))
    assert (checkout.newsletter_wording, checkout.newsletter_agreed_at) == ("", None)


def test_a_made_up_field_is_no_consent(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    settings.ASK_NEWSLETTER = False
    checkout = start_order(client, JOIN, join_fields(client, newsletter="on"))
    assert checkout.newsletter_agreed_at is None


def test_a_consent_keeps_its_wording_and_time(client: Client, campaign: Campaign) -> None:
    for url, fields in (
        (JOIN, join_fields(client, newsletter="on")),
        (GIFT, gift_fields(client, newsletter="on")),
        (GIFTS, gift_list_fields(client, ("Ben", "", ""), newsletter="on")),
    ):
        checkout = start_order(client, url, fields)
        assert (checkout.newsletter_wording, checkout.newsletter_agreed_at) == (WORDING, NOON)


def test_a_consent_is_in_the_language_of_the_form(client: Client, campaign: Campaign) -> None:
    client.cookies["django_language"] = "uk"
    fields = join_fields(client, newsletter="on")
    shown = main_of(client.get(JOIN))
    checkout = start_order(client, JOIN, fields)
    assert checkout.newsletter_wording
    assert checkout.newsletter_wording in shown


def test_the_answer_can_change_until_the_payment(
    client: Client, campaign: Campaign, clock: time_machine.Traveller
) -> None:
    checkout = start_order(client, JOIN, join_fields(client, newsletter="on"))
    again = read_form(client.get(f"{JOIN}?again={checkout.pk}")).fields
    assert again["newsletter"] == "on"
    clock.move_to(NOON + timedelta(minutes=5))
    assert start_order(client, JOIN, again) == checkout
    checkout.refresh_from_db()
    assert checkout.newsletter_agreed_at == NOON, "the same answer keeps its time"
    start_order(client, JOIN, {name: again[name] for name in again if name != "newsletter"})
    kept = Checkout.objects.get()
    assert (kept.newsletter_wording, kept.newsletter_agreed_at) == ("", None)
    assert len(sessions()) == 1


def test_the_persons_own_data_contain_the_consent_and_an_erasure_removes_it(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = start_order(client, GIFT, gift_fields(client, newsletter="on"))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card="4242424242424242")
    client.get(f"/membership/thanks/{checkout.pk}/")
    ada = Member.objects.get()
    assert members.gather_data(ada)["newsletter"] == [{"agreed_to": WORDING, "agreed_at": NOON}]
    erasures.request_erasure(ada)
    erasures.strip_rows(ada.pk, at=NOON)
    checkout = Checkout.objects.get()
    assert (checkout.newsletter_wording, checkout.newsletter_agreed_at) == ("", None)
