"""The campaign page and its order forms, and what all pages share."""

import re
from collections.abc import Iterator

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.test import Client

from campaigns import progress
from campaigns.emails import links
from campaigns.models import Campaign, Checkout, Goal, Plan, PlanCopy, Price
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import (
    at,
    make_checkout,
    make_gift,
    make_member,
    make_payment,
    make_price,
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

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Set our clock to the sandbox's time."""
    with time_machine.travel(NOON, tick=True):
        yield


def count_a_gift(campaign: Campaign, paid_at: str) -> None:
    progress.tally_gift(make_gift(make_member(), campaign, paid_at))


@pytest.mark.parametrize("path", ["", "birthday/", "birthday/join/", "birthday/gifts/", "x//y"])
def test_an_old_campaign_address_redirects_permanently(client: Client, path: str) -> None:
    response = client.get(f"/drive/{path}?from=top")
    assert response.status_code == 301
    assert response.headers["Location"] == f"/campaign/{path}?from=top"


@pytest.mark.parametrize("path", ["", "open/a-token/", "7/cancel/", "data.json"])
def test_an_old_account_address_redirects_permanently(client: Client, path: str) -> None:
    response = client.get(f"/membership/mine/{path}?done=switched")
    assert response.status_code == 301
    assert response.headers["Location"] == f"/membership/account/{path}?done=switched"
    assert "no-store" in response.headers["Cache-Control"]


# The campaign page


def test_the_campaign_page_shows_the_number_its_time_and_the_buttons(
    client: Client, campaign: Campaign
) -> None:
    count_a_gift(campaign, "2026-11-09 10:00")
    page = main_of(client.get("/campaign/birthday/"))
    assert re.search(r"<strong[^>]*>1</strong> of 1,000 new members", page)
    assert re.search(r"As of <time[^>]*>10 November 2026, 14:00</time> \(UTC\+2\)", page)
    assert f'href="{JOIN}?from=page&amp;language=en"' in page
    assert f'href="{GIFT}?from=page&amp;language=en"' in page
    assert "<p>Reporters.</p>" in page


def test_a_shared_link_to_the_campaign_shows_its_title_and_picture(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    page = client.get("/campaign/birthday/").content.decode()
    assert '<meta property="og:title" content="Three years, paid for by readers">' in page
    assert f'content="{settings.SITE_URL}/campaign/birthday/en/picture.png"' in page
    assert '<meta name="twitter:card" content="summary_large_image">' in page
    assert f'<link rel="canonical" href="{settings.SITE_URL}/campaign/birthday/en/">' in page
    assert "noindex" not in page


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "said"),
    [
        ("2026-11-20", "2026-12-01", "The campaign starts on 20 November 2026, 02:00 (UTC+2)."),
        ("2026-11-01", "2026-12-01", "The campaign runs until 1 December, 02:00 (UTC+2)."),
        ("2026-10-01", "2026-11-05", "The campaign ended on 5 November 2026, 02:00."),
    ],
)
def test_the_campaign_page_sells_before_during_and_after_the_campaign(
    client: Client, campaign: Campaign, starts_at: str, ends_at: str, said: str
) -> None:
    Campaign.objects.update(starts_at=at(starts_at), ends_at=at(ends_at))
    assert said in main_of(client.get("/campaign/birthday/"))
    has_note = 'class="note"' in main_of(client.get(JOIN))
    assert has_note == (not Campaign.objects.get().holds(NOON))
    assert start_order(client, JOIN, join_fields(client)).campaign == campaign


def test_beyond_the_goal_only_the_bar_is_capped(client: Client, campaign: Campaign) -> None:
    Goal.objects.update(target=2)
    for _ in range(3):
        count_a_gift(campaign, "2026-11-09 10:00")
    page = main_of(client.get("/campaign/birthday/"))
    assert "We’ve reached our goal. Thank you." in page
    assert re.search(r"<strong[^>]*>3</strong> of 2 new members", page)
    assert 'value="100"' in page


def test_the_number_is_provisional_while_a_payment_is_pending(
    client: Client, campaign: Campaign
) -> None:
    assert "Provisional" not in main_of(client.get("/campaign/birthday/"))
    payment = make_payment(make_member(), campaign, "2026-11-09 10:00", status="pending")
    assert payment.status == "pending"
    assert "Provisional: 1 payment is still pending" in main_of(client.get("/campaign/birthday/"))


@pytest.mark.parametrize("path", ["", "join/", "gift/"])
def test_an_unknown_campaign_shows_the_404_page(
    client: Client, transactional_db: None, path: str
) -> None:
    response = client.get(f"/campaign/nobody/{path}")
    assert response.status_code == 404
    assert "We can’t find this page" in main_of(response)


# The forms


def test_the_join_form_shows_errors_beside_fields_and_keeps_the_values(
    client: Client, campaign: Campaign
) -> None:
    fields = join_fields(client, email="ada@", name="", price="")
    response = client.post(JOIN, fields)
    assert response.status_code == 422
    assert "Error:" in response.content.decode().partition("</title>")[0]
    assert error_beside(response, "email").startswith("Enter a valid e-mail address")
    assert error_beside(response, "name") == "Enter a name."
    assert 'id="id_price_error"><li>Choose a price.' in main_of(response)
    assert read_form(response).fields["email"] == "ada@"
    assert Checkout.objects.count() == 0


def test_the_gift_form_shows_errors_beside_fields_and_keeps_the_values(
    client: Client, campaign: Campaign
) -> None:
    fields = gift_fields(client, recipient_email="", email="nobody", message="a\x07b")
    response = client.post(GIFT, fields)
    assert response.status_code == 422
    assert "tick “I’ll hand it over myself”" in error_beside(response, "recipient_email")
    assert error_beside(response, "message") == "Remove the invisible characters from this text."
    assert error_beside(response, "email").startswith("Enter a valid e-mail address")
    kept = read_form(response).fields
    assert kept["recipient_name"] == "Ben Friend"
    assert kept["email"] == "nobody"
    # With the errors corrected, the same form is accepted.
    corrected = kept | {"recipient_email": "ben@example.org", "email": "ada@example.org"}
    start_order(client, GIFT, corrected | {"message": MARKUP})


@pytest.mark.parametrize(
    "path", [JOIN, GIFT, "/campaign/birthday/gifts/", "/newsletters/", "/newsletters/frame/"]
)
def test_the_back_button_leads_to_a_form_with_errors(
    client: Client, campaign: Campaign, path: str
) -> None:
    """Browsers don't show the answer to a POST again if it says "no-store"."""
    answer = client.post(path, {})
    assert answer.status_code == 422
    assert answer["Cache-Control"] == "private, no-cache"


def test_an_address_refused_by_stripe_is_an_error_beside_the_field(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    refused = '"ada"@example.org'
    fields = join_fields(client) | {"email": refused}
    response = client.post(JOIN, fields)
    assert response.status_code == 422
    assert "doesn’t accept this address" in error_beside(response, "email")
    assert read_form(response).fields["email"] == refused
    assert sessions() == []
    fields = read_form(response).fields | {"price": fields["price"], "email": "ada@example.org"}
    assert client.post(JOIN, fields).status_code == 303
    assert len(sessions()) == 1


def test_a_gift_to_hand_over_needs_no_recipient_address(client: Client, campaign: Campaign) -> None:
    fields = gift_fields(client, hand_over="on", recipient_email="")
    assert start_order(client, GIFT, fields).typed["gifts"][0]["recipient_email"] == ""


@pytest.mark.parametrize("token", ["", "made-up", "made:up:token"])
def test_a_tampered_form_is_refused_once_and_then_accepted(
    client: Client, campaign: Campaign, token: str
) -> None:
    response = client.post(JOIN, join_fields(client, token=token))
    assert response.status_code == 422
    assert 'href="#send"' in main_of(response)
    assert Checkout.objects.count() == 0
    checkout = start_order(client, JOIN, read_form(response).fields)
    assert (checkout.name, checkout.placement) == ("Ada Reader", "end")


def test_a_price_withdrawn_meanwhile_is_an_error_beside_the_prices(
    client: Client, campaign: Campaign
) -> None:
    fields = join_fields(client)
    Price.objects.filter(kind="year").update(is_active=False)
    response = client.post(JOIN, fields)
    assert response.status_code == 422
    assert "This price is no longer available." in main_of(response)
    kept = read_form(response).fields
    assert kept["name"] == "Ada Reader"
    assert "price" not in kept
    other = str(Price.objects.get(kind="month").pk)
    assert start_order(client, JOIN, kept | {"price": other}).price.kind == "month"


def test_the_forms_say_when_nothing_is_on_sale(client: Client, campaign: Campaign) -> None:
    Price.objects.update(is_active=False)
    for url in (JOIN, GIFT):
        assert "nothing on sale" in main_of(client.get(url))


def test_each_price_says_what_is_charged_and_the_only_one_is_selected(
    client: Client, campaign: Campaign
) -> None:
    page = main_of(client.get(JOIN))
    assert "You’ll be charged €60 today, then €60 a year until you cancel." in page
    assert "You’ll be charged €6 today, then €6 a month until you cancel." in page
    assert "price" not in read_form(client.get(JOIN)).fields
    assert read_form(client.get(GIFT)).fields["price"] == str(Price.objects.get(kind="gift").pk)


def test_two_plans_are_shown_separately_with_their_benefits(
    client: Client, campaign: Campaign
) -> None:
    friend = Plan.objects.create(slug="friend", position=1)
    PlanCopy.objects.create(plan=friend, language="en", name="Friend", benefits="Tea\nCake")
    make_price("year", plan=friend, amount_minor=12000)
    page = main_of(client.get(JOIN))
    assert '<p class="plan-name">Friend</p>' in page
    assert "<li>Cake</li>" in page
    assert "<strong>€120</strong> a year" in page


def test_a_form_sent_twice_creates_one_session(client: Client, campaign: Campaign) -> None:
    fields = join_fields(client)
    assert start_order(client, JOIN, fields) == start_order(client, JOIN, fields)
    assert len(sessions()) == 1


@pytest.mark.parametrize("kind", ["error", "away"])
def test_if_stripe_is_down_the_form_is_kept_and_a_retry_creates_one_session(
    client: Client,
    campaign: Campaign,
    sandbox: SandboxControl,
    settings: LazySettings,
    kind: str,
) -> None:
    fields = gift_fields(client)
    if kind == "away":
        settings.STRIPE_API_BASE = UNREACHABLE
    else:
        sandbox.add_fault("api", match="POST /v1/checkout/sessions", kind="error", times=-1)
    response = client.post(GIFT, fields)
    assert response.status_code == 503
    assert "Nothing was charged" in main_of(response)
    form = read_form(response)
    sent = {"hand_over": "False", "csrfmiddlewaretoken": form.fields["csrfmiddlewaretoken"]}
    assert form.fields == fields | sent
    sandbox.remove_faults()
    settings.STRIPE_API_BASE = sandbox.url
    checkout = start_order(client, form.action, form.fields)
    assert checkout.typed["gifts"][0]["message"] == MARKUP
    assert [session["id"] for session in sessions()] == [checkout.session_id]


def test_returning_from_stripe_restores_the_form(client: Client, campaign: Campaign) -> None:
    fields = gift_fields(client)
    checkout = start_order(client, GIFT, fields)
    response = client.get(f"/membership/cancelled/{checkout.pk}/")
    assert "Nothing was paid" in main_of(response)
    again = f"{GIFT}?again={checkout.pk}"
    assert f'href="{again}"' in main_of(response)
    kept = read_form(client.get(again)).fields
    unlike = {name for name in fields if kept[name] != fields[name]}
    assert unlike <= {"csrfmiddlewaretoken", "token"}
    assert start_order(client, again, kept) == checkout
    assert len(sessions()) == 1


def test_beyond_the_limit_the_form_is_kept_on_a_waiting_page(
    client: Client, campaign: Campaign
) -> None:
    fields = join_fields(client, email="ada@")
    answers = [client.post(JOIN, fields).status_code for _ in range(30)]
    assert set(answers) == {422}
    response = client.post(JOIN, fields)
    assert response.status_code == 429
    assert response["Retry-After"] == "600"
    sent = {name: text for name, text in fields.items() if name != "csrfmiddlewaretoken"}
    assert sent.items() <= read_form(response).fields.items()
    assert client.get(JOIN).status_code == 200


def test_a_form_from_another_site_is_refused_with_a_page(campaign: Campaign) -> None:
    response = Client(enforce_csrf_checks=True).post(JOIN, {"name": "Ada"})
    assert response.status_code == 403
    assert "Nothing was charged" in main_of(response)


# Every page


def test_no_page_carries_inline_style_or_script(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    gift = make_gift(make_member(), campaign, "2026-11-09 10:00", message=MARKUP)
    paid = make_checkout(campaign, status="paid", customer_id="cus_1")
    waiting = make_checkout(campaign, status="waiting")
    opened = make_checkout(campaign)
    claimed = record_claim(
        make_gift(make_member(), campaign, "2026-11-09 10:00"), make_member(), "2026-11-10"
    )
    pages = [
        client.get(path)
        for path in (
            *("/campaign/birthday/", JOIN, GIFT, "/claim/", f"/claim/{gift.code}/", "/nowhere/"),
            *(f"/claim/{claimed.code}/done/", f"/claim/{claimed.code}/", "/claim/abc/"),
            *(f"/membership/thanks/{paid.pk}/", f"/membership/thanks/{waiting.pk}/"),
            f"/membership/cancelled/{opened.pk}/",
            *(f"/membership/manage/{links.make_portal_token(paid)}/", "/membership/manage/x/"),
        )
    ]
    fields = join_fields(client)
    settings.STRIPE_API_BASE = UNREACHABLE
    pages += [client.post(GIFT, {}), client.post(JOIN, fields)]
    for page in [response.content.decode() for response in pages]:
        assert page.lstrip().startswith("<!DOCTYPE html>")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
        assert page.count("<h1") == 1


def test_choosing_a_language_stays_on_the_page(client: Client, campaign: Campaign) -> None:
    assert '<html lang="en">' in client.get(f"{JOIN}?from=end").content.decode()
    response = client.post("/i18n/setlang/", {"language": "uk", "next": f"{JOIN}?from=end"})
    assert response["Location"] == f"{JOIN}?from=end"
    page = client.get(response["Location"]).content.decode()
    assert '<html lang="uk">' in page
    assert re.search(r"value=\"uk\"[^>]*aria-current=\"true\"", page)


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_the_error_pages_need_neither_request_nor_database(name: str) -> None:
    page = get_template(name).render()
    assert "Nothing was charged" in page or "nothing was charged" in page
    sheets = re.findall(r'href="/static/([^"]+)"', page)
    assert len(sheets) == 3
    assert all(finders.find(sheet) for sheet in sheets)


def test_a_url_without_a_campaign_keeps_the_banner_in_its_query(
    client: Client, campaign: Campaign
) -> None:
    response = client.get("/membership/join/?from=top")
    assert response["Location"] == "/campaign/birthday/join/?from=top"
    assert client.get("/campaign/")["Location"] == "/campaign/birthday/"
    assert client.head("/campaign/birthday/").status_code == 200
