"""The admin's home page: what needs attention, and who sees it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign, Gift, Membership, OutgoingMail
from tests.support.factories import at, make_campaign, make_member, make_payment
from tests.support.staff import admin_url, grant_permissions, read_page, refund_after_claim

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_the_home_page_lists_what_needs_attention(
    client: Client, gift: Gift, undelivered: Gift
) -> None:
    assert "Nothing at the moment." in read_page(client.get("/admin/"))
    refund_after_claim(gift)
    Gift.objects.filter(pk=undelivered.pk).update(bounced_at=timezone.now())
    Membership.objects.update(push_error="StripeRefused")
    OutgoingMail.objects.create(
        key="receipt:pi_2", kind="receipt", payment=gift.payment, failed_at=timezone.now()
    )
    page = read_page(client.get("/admin/"))
    assert "Nothing at the moment." not in page
    for url in (
        admin_url(Gift, "changelist") + "?needs=bounced",
        admin_url(Gift, "changelist") + "?needs=undecided",
        admin_url(Membership, "changelist") + "?needs=not-moved",
        admin_url(OutgoingMail, "changelist") + "?needs=failed",
    ):
        assert f'href="{url}"' in page
        assert len(client.get(url).context["cl"].result_list) == 1


def test_the_home_page_hides_what_staff_may_not_view(
    client: Client, trainee: User, gift: Gift
) -> None:
    refund_after_claim(gift)
    assert "Needs attention" not in read_page(client.get("/admin/"))
    grant_permissions(trainee, "view_gift")
    assert "Needs attention" in read_page(client.get("/admin/"))


@pytest.mark.usefixtures("editor", "rows")
def test_old_or_reported_failed_emails_need_no_attention(client: Client) -> None:
    mail = OutgoingMail.objects.get()
    for changes in (
        {"failed_at": at("2020-01-01 12:00"), "told_at": None},
        {"failed_at": timezone.now(), "told_at": timezone.now()},
    ):
        OutgoingMail.objects.filter(pk=mail.pk).update(**changes)
        response = client.get(admin_url(OutgoingMail, "changelist"), {"needs": "failed"})
        assert list(response.context["cl"].result_list) == []


@pytest.mark.usefixtures("editor")
def test_the_running_campaign_has_its_curve_pace_and_money(client: Client) -> None:
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=9))
    for currency in ("eur", "usd"):
        day = (now - timedelta(days=3)).isoformat()
        make_payment(make_member(), campaign, day, currency=currency)
    page = read_page(client.get("/admin/"))
    assert "<svg" in page
    assert "Even pace" in page
    assert "Net, EUR" in page
    assert "Net, USD" in page


def test_a_user_without_a_role_reads_what_to_do(client: Client, trainee: User) -> None:
    words = "Your account has no role yet"
    assert words in read_page(client.get("/admin/"))
    grant_permissions(trainee, "view_gift")
    assert words not in read_page(client.get("/admin/"))


@pytest.mark.usefixtures("editor")
def test_earlier_campaigns_come_last_with_the_offset_and_state_of_their_time(
    client: Client, birthday: Campaign
) -> None:
    begun, ended = at("2026-04-14 00:00"), at("2026-05-05 00:00")
    make_campaign(slug="fund", starts_at=begun, ends_at=ended, closed_at=ended)
    page = read_page(client.get("/admin/"))
    assert page.index("desk-now") < page.index("desk-aside") < page.index("desk-others")
    fund = " ".join(page.partition("desk-others")[2].split())
    assert "Kyiv (UTC+3). State: closed. </p>" in fund
