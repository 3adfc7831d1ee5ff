"""The return pages after Stripe, the claim page and the billing portal."""

import re
from collections.abc import Iterator

import pytest
import time_machine
from django.conf import LazySettings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from campaigns import progress
from campaigns.emails import links
from campaigns.forms import token_for
from campaigns.models import AttemptCount, Campaign, Checkout, Membership
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import (
    at,
    make_gift,
    make_member,
    make_payment,
    record_claim,
)
from tests.support.pages import (
    GIFT,
    JOIN,
    MARKUP,
    NOON,
    UNREACHABLE,
    error_beside,
    gift_fields,
    join_fields,
    main_of,
    read_form,
    sessions,
    start_order,
)

CARD = "4242424242424242"
SLOW_IBAN = "DE89370400440532013000"  # stays processing until settled


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Set our clock to the sandbox's time."""
    with time_machine.travel(NOON, tick=True):
        yield


# The return pages


def read_thank_you_page(client: Client, checkout: Checkout) -> str:
    """Return the thank-you page's text, some seconds after the last look."""
    AttemptCount.objects.all().delete()
    response = client.get(f"/membership/thanks/{checkout.pk}/")
    assert response.status_code == 200
    page = response.content.decode()
    assert '<meta name="robots" content="noindex">' in page
    refreshes = '<meta http-equiv="refresh" content="5">' in page
    assert refreshes == ('data-stage="waiting"' in page)
    return main_of(response)


def test_a_confirmed_payment_shows_the_count_and_a_link_to_share(
    client: Client, campaign: Campaign, sandbox: SandboxControl, settings: LazySettings
) -> None:
    checkout = start_order(client, JOIN, join_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    page = read_thank_you_page(client, checkout)
    assert "Your payment is confirmed" in page
    assert "You paid €60." in page
    assert re.search(r"<strong[^>]*>1</strong> of 1,000 new members", page)
    assert f'readonly value="{settings.SITE_URL}/campaign/birthday/?from=friend&amp;friend=' in page
    assert 'href="mailto:?subject=The%20Meridian%20Post%3A%20Third%20birthday' in page
    # Sending the form again leads to the same page and charges nothing.
    response = client.post(JOIN, join_fields(client, token=token_for(checkout.pk)))
    assert response["Location"] == f"/membership/thanks/{checkout.pk}/"


def test_a_confirmed_gift_says_where_the_claim_link_goes(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = start_order(client, GIFT, gift_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    page = read_thank_you_page(client, checkout)
    assert "Your payment is confirmed" in page
    assert "We’ll e-mail Ben Friend at ben@example.org" in page
    assert checkout.gifts.get().code not in page


def test_a_pending_payment_waits_and_a_failed_one_says_so(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = start_order(client, GIFT, gift_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, iban=SLOW_IBAN)
    page = read_thank_you_page(client, checkout)
    assert "We’re still waiting for your bank" in page
    assert "Your payment is confirmed" not in page
    [session] = sessions()
    sandbox.settle_debit(session["payment_intent"], outcome="failed")
    page = read_thank_you_page(client, checkout)
    assert "Your payment didn’t go through" in page
    assert f'href="{GIFT}?again={checkout.pk}"' in page


def test_without_stripe_the_thank_you_page_confirms_nothing(
    client: Client, campaign: Campaign, sandbox: SandboxControl, settings: LazySettings
) -> None:
    checkout = start_order(client, JOIN, join_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    settings.STRIPE_API_BASE = UNREACHABLE
    page = read_thank_you_page(client, checkout)
    assert "We can’t confirm your payment yet" in page
    assert "Your payment is confirmed" not in page


def test_unfinished_and_expired_payments_lead_back_to_the_form(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = start_order(client, JOIN, join_fields(client))
    page = read_thank_you_page(client, checkout)
    assert "Your payment isn’t finished yet" in page
    assert f'href="{JOIN}?again={checkout.pk}"' in page
    sandbox.advance(days=2)
    page = read_thank_you_page(client, checkout)
    assert "The payment page has expired" in page
    assert f'href="{JOIN}?again={checkout.pk}"' in page


def test_an_unknown_checkout_shows_the_404_page(client: Client, transactional_db: None) -> None:
    response = client.get("/membership/thanks/3f3d3a70-0000-4000-8000-000000000000/")
    assert response.status_code == 404


# The claim


def test_a_gift_shows_its_buyer_and_its_message_as_text(client: Client, campaign: Campaign) -> None:
    gift = make_gift(make_member(), campaign, "2026-11-09 10:00", message=MARKUP)
    response = client.post("/claim/", {"code": gift.code.lower().replace("-", " ")}, follow=True)
    page = main_of(response)
    assert "Ada Reader gave you 12 months of The Meridian Post" in page
    assert "Happy birthday!<br>&lt;b&gt;Read&lt;/b&gt; &amp; be &lt;script&gt;well" in page
    assert "9 November 2027" in page
    response = client.post(f"/claim/{gift.code}/", {"name": "Ben", "email": "ben@"})
    assert response.status_code == 422
    assert error_beside(response, "email").startswith("Enter a valid e-mail address")
    assert read_form(response).fields["name"] == "Ben"
    fields = read_form(response).fields | {"email": "ben@example.org"}
    page = main_of(client.post(f"/claim/{gift.code}/", fields, follow=True))
    assert "Your membership has started" in page
    assert "until 10 November 2027" in page
    assert Membership.objects.filter(source=Membership.Source.GIFT).count() == 1


@pytest.mark.parametrize("code", ["", "abc", "AAAAA-BBBBB-CCCCC-DDDDD"])
def test_an_unknown_code_is_an_error_beside_its_field(
    client: Client, transactional_db: None, code: str
) -> None:
    response = client.post("/claim/", {"code": code})
    assert response.status_code == 422
    assert error_beside(response, "code")
    assert read_form(response).fields["code"] == code


def test_a_gift_that_cannot_be_claimed_says_why(client: Client, campaign: Campaign) -> None:
    paid_at = "2026-11-09 10:00"
    claimed = record_claim(
        make_gift(make_member(), campaign, paid_at), make_member(), "2026-11-10 09:00"
    )
    revoked = make_gift(
        make_member(), campaign, paid_at, status="revoked", revoked_at=at("2026-11-10 10:00")
    )
    expired = make_gift(make_member(), campaign, paid_at, expires_at=at("2026-11-10 11:00"))
    said = {
        claimed.code: (410, "This gift has already been claimed"),
        revoked.code: (410, "This gift was revoked"),
        expired.code: (410, "This gift has expired"),
        "AAAAA-BBBBB-CCCCC-DDDDD": (404, "We can’t find this gift"),
    }
    for code, (status, words) in said.items():
        sent = {"name": "Eve", "email": "eve@example.org"}
        for response in (client.get(f"/claim/{code}/"), client.post(f"/claim/{code}/", sent)):
            assert (response.status_code, words in main_of(response)) == (status, True), words


# The billing portal


def test_the_portal_button_leads_to_stripe_and_reports_failures(
    client: Client, campaign: Campaign, sandbox: SandboxControl, settings: LazySettings
) -> None:
    checkout = start_order(client, JOIN, join_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    read_thank_you_page(client, checkout)
    checkout.refresh_from_db()
    url = f"/membership/manage/{links.make_portal_token(checkout)}/"
    assert read_form(client.get(url)).action == ""
    settings.STRIPE_API_BASE = UNREACHABLE
    response = client.post(url)
    assert response.status_code == 503
    assert read_form(response).action == url
    assert "your membership hasn’t changed" in main_of(response)
    settings.STRIPE_API_BASE = sandbox.url
    assert client.post(url)["Location"].startswith(sandbox.url)
    assert client.get(f"{url[:-3]}xx/").status_code == 410


def test_a_new_member_who_claims_a_gift_counts_once(client: Client, campaign: Campaign) -> None:
    gift = make_gift(make_member("ada@example.org"), campaign, "2026-11-10 08:00")
    ben = make_member("ben@example.org")
    make_payment(ben, campaign, "2026-11-10 09:00")
    with transaction.atomic():
        progress.tally_gift(gift)
        progress.tally_members([ben])
    assert campaign.tallies.counting_at(timezone.now()).count() == 2
    fields = {"name": "Ben", "email": "ben@example.org"}
    # An existing member confirms by e-mail.
    assert "We’ve e-mailed" in main_of(client.post(f"/claim/{gift.code}/", fields))
    confirmed = client.post(f"/claim/confirm/{links.make_confirmation_token(gift, ben)}/")
    assert confirmed.status_code == 303
    assert [tally.gift for tally in campaign.tallies.counting_at(timezone.now())] == [gift]
    campaign.refresh_from_db()
    assert campaign.publish_at is not None


def test_reloading_the_thank_you_page_asks_stripe_once(client: Client, campaign: Campaign) -> None:
    checkout = start_order(client, JOIN, join_fields(client))
    assert "Your payment isn’t finished yet" in read_thank_you_page(client, checkout)
    version = Checkout.objects.get().version
    for _ in range(3):
        assert "We can’t confirm your payment yet" in main_of(
            client.get(f"/membership/thanks/{checkout.pk}/")
        )
    assert Checkout.objects.get().version == version
