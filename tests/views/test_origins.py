"""Where a sale came from: carried from the link that opened the form to the row of the Checkout."""

import html
import re
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from campaigns import members
from campaigns.models import Campaign, Checkout, Price
from campaigns.origins import Origin
from tests.support.factories import make_checkout, make_member
from tests.support.pages import GIFT, JOIN, UNREACHABLE, Answer, read_form, start_order

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ARTICLE = "https://www.example.org/2026/bridges"
LINK = f"{JOIN}?from=end&page={quote(ARTICLE, safe='')}&title=Bridges&utm_source=mail"
FROM_LINK = Origin(placement="end", page_url=ARTICLE, page_title="Bridges", utm_source="mail")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Mobile/15E148"
ADA = {"name": "Ada Reader", "email": "ada@example.org"}


def fields_of(response: Answer, **typed: str) -> dict[str, str]:
    price = str(Price.objects.get(kind="year").pk)
    return {**read_form(response).fields, "price": price, **ADA, **typed}


def follow(client: Client, response: Answer, url: str) -> Answer:
    """Follow the page's link to that form."""
    [target] = re.findall(rf'href="({url}[?][^"]*)"', response.content.decode())
    return client.get(html.unescape(target))


def origin_after(client: Client, url: str, **headers: str) -> Origin:
    """Open the form in a browser with these headers, and order."""
    response = client.get(url, headers=headers)
    checkout = start_order(client, JOIN, fields_of(response))
    checkout.delete()
    return checkout.origin


def test_a_banners_link_says_where_the_sale_came_from(client: Client, campaign: Campaign) -> None:
    assert origin_after(client, LINK) == FROM_LINK


def test_the_origin_survives_errors_and_an_outage(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    response = client.post(JOIN, fields_of(client.get(LINK), email="nobody"))
    assert response.status_code == 422
    sandbox_url, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, UNREACHABLE
    response = client.post(JOIN, fields_of(response))
    assert response.status_code == 503
    settings.STRIPE_API_BASE = sandbox_url
    assert start_order(client, JOIN, fields_of(response)).origin == FROM_LINK


def test_the_origin_survives_the_changes_between_the_forms(
    client: Client, campaign: Campaign
) -> None:
    many = reverse("campaigns:gift_many", kwargs={"slug": "birthday"})
    response: Answer = client.get(LINK)
    for url in (GIFT, many, GIFT, JOIN):
        response = follow(client, response, url)
    assert start_order(client, JOIN, fields_of(response)).origin == FROM_LINK


def test_a_reader_who_comes_back_from_stripe_keeps_the_origin(
    client: Client, campaign: Campaign
) -> None:
    checkout = start_order(client, JOIN, fields_of(client.get(LINK)))
    again = client.get(f"{JOIN}?again={checkout.pk}", headers={"Referer": "https://stripe.com/"})
    assert read_form(again).fields["origin"] == FROM_LINK.query


def test_the_campaign_page_passes_on_the_banner_that_led_to_it(
    client: Client, campaign: Campaign
) -> None:
    page = f"http://testserver/campaign/birthday/en/?{FROM_LINK.query}"
    assert origin_after(client, f"{JOIN}?from=page&language=en", Referer=page) == FROM_LINK
    page = "http://testserver/campaign/birthday/en/"
    assert origin_after(client, f"{JOIN}?from=page", Referer=page) == Origin(placement="page")


def test_the_referring_page_is_the_article_if_the_link_names_none(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    settings.NEWSPAPER_URL = "https://example.org/"
    secret = f"{ARTICLE}?token=s3cret"
    came = Origin(page_url=ARTICLE, referrer="example.org")
    assert origin_after(client, JOIN, Referer=secret) == came
    # Browsers often name only the site.
    assert origin_after(client, JOIN, Referer="https://example.org/").page_url == ""
    # A page of somebody else is an article only if it shows our banner.
    partner = "https://partner.example/story"
    assert origin_after(client, JOIN, Referer=partner) == Origin(referrer="partner.example")
    assert origin_after(client, f"{JOIN}?from=end", Referer=partner).page_url == partner


def test_the_device_and_the_country_are_kept_only_as_far_as_settings_say(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    client.defaults["HTTP_USER_AGENT"] = PHONE
    client.defaults["HTTP_CF_IPCOUNTRY"] = "ua"
    assert origin_after(client, JOIN) == Origin(device="phone")
    settings.COUNTRY_HEADER = "CF-IPCountry"
    assert origin_after(client, JOIN) == Origin(device="phone", country="UA")


@pytest.mark.parametrize(
    "query",
    [
        f"page=https%3A%2F%2Fexample.org%2F{'a' * 4000}",
        "page=javascript%3Aalert(1)&title=%00%3Cscript%3E",
        "from=%3Cscript%3E&referrer=%5B%3A%3A1&utm_source=%ff%fe",
        "&".join(f"a{number}=1" for number in range(500)),
    ],
    ids=["long", "script", "broken", "many"],
)
def test_a_hostile_link_opens_the_form_and_sells(
    client: Client, campaign: Campaign, query: str
) -> None:
    response = client.get(f"{JOIN}?{query}", headers={"Referer": "https://[::1/"})
    assert "<script>" not in response.content.decode()
    fields = fields_of(response)
    for typed in (fields, fields | {"origin": query}):
        origin = start_order(client, JOIN, typed).origin
        assert (origin.placement, origin.page_title) == ("", "")
        assert origin.page_url in {"", "https://example.org/"}
        Checkout.objects.all().delete()


def test_the_origin_is_part_of_a_persons_data() -> None:
    ada = make_member("ada@example.org")
    make_checkout(None, member=ada, placement="end", page_url=ARTICLE)
    [sign_up] = members.gather_data(ada)["sign_ups"]
    assert sign_up["came_from"] == {"placement": "end", "page_url": ARTICLE}
