"""Pages of rows: words instead of codes, nothing that is empty, and the way to Stripe."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from django.urls import reverse

from campaigns.admin.users import ROLES
from campaigns.models import Campaign, Checkout, Member, OutgoingMail, Payment, Subscription
from tests.support.factories import at, make_checkout, make_member, make_payment
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.staff import admin_url, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("editor")]

# Fields that hold a code. Their words are in `campaigns.admin.labels`.
CODES = {"placement", "country", "method", "wallet", "brand"}


def test_no_page_shows_the_code_of_a_field(rows: Campaign) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(username="editor")
    for model, pages in admin.site._registry.items():
        columns = {name for name in pages.get_list_display(request) if isinstance(name, str)}
        fields = set(
            flatten_fieldsets(pages.get_fieldsets(request, pages.get_queryset(request).first()))
        )
        coded = {
            field.name
            for field in model._meta.concrete_fields
            if field.name in CODES and not field.choices
        }
        assert not coded & (columns | fields), model


def test_a_purchase_says_in_words_where_it_came_from(client: Client, birthday: Campaign) -> None:
    checkout = make_checkout(birthday, placement="inline", country="UA")
    page = read_page(client.get(admin_url(Checkout, "change", checkout.pk)))
    for words in ("block inside the article", "Ukraine"):
        assert f">{words}<" in page
    for code in ("inline", "UA"):
        assert f">{code}<" not in page


def test_a_subscription_says_in_words_where_it_came_from(client: Client) -> None:
    row = make_subscription(make_newsletter(), placement="signupcard", country="DE")
    page = read_page(client.get(admin_url(Subscription, "change", row.pk)))
    assert ">newsletters at the article’s end<" in page
    assert ">Germany<" in page


@pytest.mark.parametrize(
    ("method", "wallet", "words"),
    [
        ("card", "", "card"),
        ("card", "apple_pay", "Apple Pay"),
        ("sepa_debit", "", "bank debit"),
        ("paypal", "", "PayPal"),
        ("some_new_way", "", "Some New Way"),
    ],
)
def test_a_payment_says_in_words_how_it_was_made(
    client: Client, birthday: Campaign, method: str, wallet: str, words: str
) -> None:
    payment = make_payment(
        *(make_member(), birthday, "2026-11-10 12:00"),
        method=method,
        wallet=wallet,
        brand="amex",
        country="UA",
    )
    listed = read_page(client.get(admin_url(Payment, "changelist")))
    assert f'<td class="field-paid_by">{words}</td>' in listed
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    for each in (words, "American Express", "Ukraine"):
        assert f">{each}<" in page


def test_a_payment_leads_to_stripe_from_its_page_and_its_person(
    client: Client, birthday: Campaign
) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-10 12:00")
    link = f'<a href="https://dashboard.stripe.com/test/payments/{payment.intent_id}"'
    assert link in read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert link in read_page(client.get(admin_url(Member, "change", payment.member_id)))


def test_a_page_leaves_out_what_the_row_has_no_value_for(client: Client) -> None:
    mail = OutgoingMail.objects.create(key="receipt:1", kind="receipt", attempts=0)
    url = admin_url(OutgoingMail, "change", mail.pk)
    page = read_page(client.get(url))
    assert "Bounced at" not in page
    assert "Attempts" in page, "a zero is a value"
    OutgoingMail.objects.update(bounced_at=at("2026-11-10 12:00"))
    assert "Bounced at" in read_page(client.get(url))


def test_a_campaign_is_called_by_its_name(client: Client, birthday: Campaign) -> None:
    page = read_page(client.get(admin_url(Campaign, "change", birthday.pk)))
    assert f"<h1>{birthday.copy_for('en').name}</h1>" in page


def test_the_title_is_in_the_language_of_the_page(client: Client, birthday: Campaign) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-10 12:00")
    headers = {"Accept-Language": "uk"}
    page = read_page(client.get(admin_url(Payment, "change", payment.pk), headers=headers))
    assert re.search(r"<h1>60.€ .*10 лис", page)


def show_receipt(client: Client, campaign: Campaign, url: str) -> str:
    """Return the markup of the field with Stripe's receipt on a payment's page."""
    payment = make_payment(make_member("ada@example.org"), campaign, "2026-11-10 12:00")
    Payment.objects.filter(pk=payment.pk).update(receipt_url=url)
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    return page.partition("field-receipt")[2].partition("form-row")[0]


def test_the_receipt_is_a_link_to_stripe(client: Client, birthday: Campaign) -> None:
    url = "https://pay.stripe.com/receipts/acct_1/ch_1?s=ap"
    shown = show_receipt(client, birthday, url)
    assert f'<a href="{url}" rel="noreferrer">View receipt at Stripe</a>' in shown


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.stripe.com/receipts/1",
        "https://pay.stripe.com.example.org/receipts/1",
        "https://notstripe.com/receipts/1",
        "https://pay.stripe.com@example.org/receipts/1",
        "https://example.org\\@pay.stripe.com/receipts/1",
        "https://pay.stripe.com:99/receipts/1",
        "javascript:alert(1)//https://pay.stripe.com/",
        "https://pay.stripe.com/a b",
    ],
)
def test_an_address_that_is_not_stripes_is_no_link(
    client: Client, birthday: Campaign, url: str
) -> None:
    shown = show_receipt(client, birthday, url)
    assert "href" not in shown
    assert "receipts/1" in shown or "alert" in shown or "/a b" in shown


def test_every_row_that_staff_add_has_a_button_in_words_of_its_own(client: Client) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(username="editor")
    named = set()
    for model, pages in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        page = read_page(client.get(reverse(f"{name}_changelist"), follow=True))
        if pages.has_add_permission(request) and 'class="addlink"' in page:
            label = getattr(pages, "add_label", "")
            assert label, model
            assert f"{label}</a>" in page, model
            assert f"<h1>{label}</h1>" in read_page(client.get(reverse(f"{name}_add")))
            named.add(model)
    assert {Campaign, Member, User} <= named


def test_every_role_says_what_it_may_do() -> None:
    assert set(ROLES) == set(Group.objects.values_list("name", flat=True))
