"""Pages and lists call rows by words: no numbers of ours, no keys and no slugs."""

import html
import re
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import (
    Campaign,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Plan,
    Tally,
)
from campaigns.reports.titles import name_row
from tests.support.factories import make_campaign, make_member, make_payment
from tests.support.staff import admin_url, fill_in, grant_permissions, read_page

pytestmark = pytest.mark.django_db

# The rows of the system itself, which people of the newsroom don't open.
OF_SYSTEM = {"jobrun", "jobfailure", "stripecursor", "stripeevent", "logentry"}
SLUG = re.compile(r"(?<!third )\bbirthday\b")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


def read_heading(page: str) -> str:
    """Return the title of the window, the path and the heading, without markup."""
    parts = [
        re.search(pattern, page, re.DOTALL)
        for pattern in (
            r"<title>(.*?)</title>",
            r'class="breadcrumbs">(.*?)</div>',
            r"<h1>(.*?)</h1>",
        )
    ]
    text = " ".join(part[1] for part in parts if part)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def list_names(model: Any, row: Any) -> list[str]:
    """Return what the row must not be called."""
    name = str(model._meta.verbose_name)
    keys = [f"{name} {row.pk}", f"member {row.pk}"]
    return [each.lower() for each in keys if not isinstance(row.pk, str)]


@pytest.mark.usefixtures("editor", "rows")
def test_no_page_of_a_row_is_called_by_its_number(client: Client) -> None:
    OutgoingMail.objects.update(key="receipt:pi_key_of_ours")
    wrong = []
    for model in admin.site._registry:
        row: Any = model._default_manager.order_by("pk").first()
        if row is None or model._meta.model_name in OF_SYSTEM:
            continue
        for page in ("change", "history"):
            url = reverse(
                f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[row.pk]
            )
            heading = read_heading(read_page(client.get(url))).lower()
            bad = [name for name in list_names(model, row) if re.search(rf"{name}\b", heading)]
            if bad or UUID.search(heading) or "key_of_ours" in heading or SLUG.search(heading):
                wrong.append((model._meta.model_name, page, " ".join(heading.split())))
    assert wrong == []


@pytest.mark.usefixtures("editor", "rows")
def test_no_list_shows_a_slug_or_a_number_of_ours(client: Client) -> None:
    """The campaign's slug is "birthday" and its name "Third birthday"; the plan's is "member"."""
    wrong = []
    for model in admin.site._registry:
        if model._meta.model_name in OF_SYSTEM:
            continue
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        page = read_page(client.get(url, follow=True))
        cells = re.findall(r"<t[dh] class=\"field-[^>]*>(.*?)</t[dh]>", page, re.DOTALL)
        cells += re.findall(r"<a href=\"\?[^>]*>(.*?)</a>", page, re.DOTALL)
        words = {html.unescape(re.sub(r"<[^>]+>", " ", cell)).strip() for cell in cells}
        bad = {each for each in words if each == "birthday" or UUID.search(each)}
        bad |= {each for each in words if re.fullmatch(r"(payment|checkout|member) \d+", each)}
        if bad:
            wrong.append((model._meta.model_name, bad))
    assert wrong == []


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("page", ["change", "history", "progress", "embed"])
def test_each_page_of_a_campaign_is_called_by_its_name(
    client: Client, birthday: Campaign, page: str
) -> None:
    heading = read_heading(read_page(client.get(admin_url(Campaign, page, birthday.pk))))
    assert "Third birthday" in heading
    assert not SLUG.search(heading.lower()), heading


def test_a_payment_is_called_by_amount_person_and_day(
    client: Client, editor: User, birthday: Campaign
) -> None:
    payment = make_payment(make_member("ada@example.org"), birthday, "2026-11-10 12:00")
    for page in ("change", "history", "refund"):
        heading = read_heading(read_page(client.get(admin_url(Payment, page, payment.pk))))
        assert "€60 from ada@example.org, 10 Nov 2026" in heading, page


def test_those_who_see_no_people_read_no_address_in_a_title(
    client: Client, trainee: User, birthday: Campaign
) -> None:
    payment = make_payment(make_member("ada@example.org"), birthday, "2026-11-10 12:00")
    grant_permissions(trainee, "view_payment")
    heading = read_heading(read_page(client.get(admin_url(Payment, "change", payment.pk))))
    assert "€60, 10 Nov 2026" in heading
    assert "ada@" not in heading
    grant_permissions(trainee, "view_member")
    heading = read_heading(read_page(client.get(admin_url(Payment, "change", payment.pk))))
    assert "€60 from ada@example.org, 10 Nov 2026" in heading


@pytest.mark.usefixtures("rows")
def test_no_title_has_an_address_without_the_permission_to_see_people() -> None:
    for model in admin.site._registry:
        for row in model._default_manager.all():
            hidden = name_row(row, sees_people=False)
            if model not in {Member, User, LogEntry}:  # people themselves
                assert "@" not in hidden, (model, hidden)
            assert name_row(row)


def test_a_mail_is_called_by_what_it_is_and_to_whom(
    client: Client, editor: User, birthday: Campaign
) -> None:
    payment = make_payment(make_member("ada@example.org"), birthday, "2026-11-10 12:00")
    mail = OutgoingMail.objects.create(key="receipt:1", kind="receipt", payment=payment)
    heading = read_heading(read_page(client.get(admin_url(OutgoingMail, "change", mail.pk))))
    assert "Receipt: ada@example.org" in heading


@pytest.mark.usefixtures("editor")
def test_rows_lead_to_those_they_belong_to_by_words(client: Client, rows: Campaign) -> None:
    payment = Payment.objects.exclude(role="gift").get()
    page = html.unescape(read_page(client.get(admin_url(Payment, "change", payment.pk))))
    assert f'<a href="{admin_url(Campaign, "change", rows.pk)}">Third birthday</a>' in page
    assert ">Membership, €60 from" in page, "its purchase"
    tally = Tally.objects.filter(payment=payment).get()
    page = html.unescape(read_page(client.get(admin_url(Tally, "change", tally.pk))))
    assert f'<a href="{admin_url(Payment, "change", payment.pk)}">€60 from' in page


@pytest.mark.usefixtures("editor")
def test_a_row_that_belongs_to_none_shows_a_dash(client: Client, birthday: Campaign) -> None:
    payment = make_payment(make_member("ada@example.org"), birthday, "2026-11-10 12:00")
    for url in (
        admin_url(Member, "change", payment.member_id),  # its membership has no plan
        admin_url(Membership, "changelist"),
        admin_url(Membership, "change", payment.membership_id),
    ):
        page = read_page(client.get(url))
        assert not re.search(r">\s*None\s*<", page), url


def test_rows_that_one_may_not_view_are_named_and_not_linked(
    client: Client, trainee: User, birthday: Campaign
) -> None:
    payment = make_payment(make_member("ada@example.org"), birthday, "2026-11-10 12:00")
    grant_permissions(trainee, "view_payment")
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert "Third birthday" in page
    assert admin_url(Campaign, "change", birthday.pk) not in page


@pytest.mark.usefixtures("editor")
def test_the_page_before_a_deletion_names_the_campaign(client: Client, birthday: Campaign) -> None:
    page = read_page(client.get(admin_url(Campaign, "delete", birthday.pk)))
    assert "Delete “Third birthday” with everything below?" in page
    assert "Goals: 1" in page
    assert ">birthday<" not in page


@pytest.mark.usefixtures("editor")
def test_a_currency_and_a_zone_that_are_fixed_are_in_words(client: Client, rows: Campaign) -> None:
    page = read_page(client.get(admin_url(Campaign, "change", rows.pk)))
    assert "EUR – Euro" in page
    assert not re.search(r'class="readonly">\s*eur\s*<', page)
    Campaign.objects.update(closed_at=rows.starts_at)
    page = read_page(client.get(admin_url(Campaign, "change", rows.pk)))
    assert "Kyiv (UTC+2)" in page
    assert not re.search(r'class="readonly">\s*Europe/Kyiv\s*<', page)


@pytest.mark.usefixtures("editor")
def test_forms_offer_campaigns_and_plans_by_name(client: Client, rows: Campaign) -> None:
    page = read_page(client.get(admin_url(Member, "payment", Member.objects.earliest("pk").pk)))
    assert ">Third birthday</option>" in page
    assert ">Member</option>" in page
    assert ">birthday</option>" not in page


@pytest.mark.usefixtures("editor")
def test_the_history_of_all_rows_calls_them_by_words(client: Client, rows: Campaign) -> None:
    url = admin_url(Plan, "change", Plan.objects.earliest("pk").pk)
    client.post(url, fill_in(client, url, position="7"))
    payment = Payment.objects.exclude(role="gift").get()
    LogEntry.objects.log_create(payment, force_log=True, action=1, changes={"note": ["", "x"]})
    page = html.unescape(read_page(client.get("/admin/auditlog/logentry/")))
    assert ">Plan: Member</a>" in page
    assert ">Payment: €60 from" in page
    assert f"payment {payment.pk}" not in page
    entry = LogEntry.objects.latest("pk")
    heading = read_heading(read_page(client.get(f"/admin/auditlog/logentry/{entry.pk}/change/")))
    assert "Payment: €60 from" in heading


def test_models_without_a_title_are_called_by_their_own_name() -> None:
    campaign = make_campaign()
    assert name_row(campaign.goals.get()) == "1,000 new members"
    assert name_row(campaign.copies.get()) == "Third birthday (English)"
