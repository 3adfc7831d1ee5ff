"""The search of the admin: what happened to a payment, and the step that mends it."""

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.safestring import SafeString

from campaigns.models import Campaign, Checkout, Gift, Payment
from campaigns.reports.search import MOST
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import make_checkout, make_member, make_payment
from tests.support.refunds import pay_and_settle
from tests.support.sales import place_order
from tests.support.staff import MARKUP, admin_url, read_page

pytestmark = pytest.mark.django_db
URL = "/admin/search/"


def search(client: Client, typed: str) -> str:
    response = client.get(URL, {"q": typed})
    assert response.status_code == 200
    return response.content.decode()


def test_the_search_leads_to_the_only_person_found(client: Client, editor: User) -> None:
    ada = make_member("ada@example.org")
    response = client.get(URL, {"q": "ada@example.org"})
    assert response.headers["Location"] == f"/admin/campaigns/member/{ada.pk}/change/"


def test_a_search_without_a_result_says_what_to_try(client: Client, editor: User) -> None:
    page = search(client, "nobody@example.org")
    assert "Nothing found for “nobody@example.org”." in page
    assert "the amount and the day" in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("waiting", "the bank hasn’t decided yet"),
        ("failed", "The bank declined the payment"),
        ("expired", "Not paid in time"),
        ("open", "Not paid yet, according to Stripe"),
    ],
)
def test_a_purchase_says_what_became_of_it_and_offers_to_ask_stripe(
    client: Client, editor: User, birthday: Campaign, status: str, words: str
) -> None:
    make_checkout(birthday, email="ada@example.org", status=status)
    page = search(client, "ada@example.org")
    assert words in page
    assert "Ask Stripe again" in page


def test_a_purchase_is_left_out_if_its_payment_says_more(
    client: Client, editor: User, birthday: Campaign
) -> None:
    ada = make_member("ada@example.org")
    checkout = make_checkout(birthday, member=ada, email=ada.email, status=Checkout.Status.PAID)
    page = admin_url(Checkout, "change", checkout.pk)
    assert page in search(client, ada.email)
    make_payment(ada, birthday, "2026-11-10 12:00", checkout=checkout)
    assert page not in search(client, ada.email)
    Checkout.objects.update(status=Checkout.Status.WAITING)
    assert page in search(client, ada.email)


def test_a_search_that_finds_more_than_it_shows_says_so(
    client: Client, editor: User, birthday: Campaign
) -> None:
    ada = make_member("ada@example.org")
    for _number in range(MOST - 1):
        make_payment(ada, birthday, "2026-11-10 12:00")
    words = f"Only the newest {MOST} of each kind are shown."
    assert words not in search(client, "60")
    make_payment(ada, birthday, "2026-11-10 12:00")
    assert words in search(client, "60")


def test_a_paid_purchase_offers_no_step(client: Client, editor: User, birthday: Campaign) -> None:
    make_checkout(birthday, email="ada@example.org", status=Checkout.Status.PAID)
    assert "Ask Stripe again" not in search(client, "ada@example.org")


def test_a_payment_is_found_by_the_last_four_digits_of_its_card(
    client: Client, editor: User, campaign: Campaign, sandbox: SandboxControl
) -> None:
    """Readers know them from their bank, and may not remember with which address they paid."""
    payment = pay_and_settle(place_order(campaign, "once"), sandbox)
    assert payment.last4 == "4242"
    day = f"{payment.paid_at:%Y-%m-%d}"
    other = make_payment(make_member("ben@example.org"), campaign, day, last4="1881")
    for typed in ("4242", f"4242 {day}", f"60 4242 {day}"):
        page = search(client, typed)
        assert admin_url(Payment, "change", payment.pk) in page, typed
        assert admin_url(Payment, "change", other.pk) not in page, typed
    for typed in ("4242 2001-01-01", "61 4242", "42", "42424"):
        assert admin_url(Payment, "change", payment.pk) not in search(client, typed), typed
    assert "Visa •••• 4242" in read_page(client.get(admin_url(Payment, "change", payment.pk)))


def test_four_digits_are_an_amount_as_well(
    client: Client, editor: User, birthday: Campaign
) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-10 12:00", amount_minor=424200)
    assert admin_url(Payment, "change", payment.pk) in search(client, "4242")


def test_the_search_shows_only_what_the_user_may_view(
    client: Client, trainee: User, gift: Gift
) -> None:
    make_payment(gift.buyer, gift.checkout.campaign, "2026-11-10 12:00")
    trainee.user_permissions.add(Permission.objects.get(codename="view_payment"))
    page = search(client, "ada@example.org")
    assert "/admin/campaigns/payment/" in page
    assert "/admin/campaigns/member/" not in page
    assert "/admin/campaigns/gift/" not in page


def test_markup_in_names_and_in_the_search_is_only_text(
    client: Client, editor: User, rows: Campaign
) -> None:
    for typed in (MARKUP, "ada@example.org"):
        assert MARKUP not in search(client, typed)


def test_strangers_are_asked_to_log_in(client: Client) -> None:
    assert client.get(URL, {"q": "ada"}).headers["Location"].startswith("/admin/login/")


@pytest.mark.thorough
@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.parametrize("typed", ["%", "_", "\0", "x" * 10_000, "ї" * 10_000, "' OR 1=1 --"])
def test_nothing_that_is_typed_breaks_a_search_or_finds_every_row(
    client: Client, typed: str
) -> None:
    urls = [
        reverse(admin_urlname(model._meta, SafeString("changelist")))
        for model, pages in admin.site._registry.items()
        if pages.search_fields
    ]
    assert len(urls) > 10
    for url in (URL, *urls):
        response = client.get(url, {"q": typed}, follow=True)
        assert response.status_code == 200, url
        found = response.context["cl"].result_list if "cl" in response.context else []
        assert not found or typed in {"_", "\0"}, url  # Django says that the second is refused
