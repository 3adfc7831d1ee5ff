"""The admin's first page: what needs a person, and to whom it is said."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.models import Gift, Membership, OutgoingMail
from tests.support.factories import at
from tests.support.staff import admin_url, grant_permissions, read_page, refund_after_claim

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_the_first_page_says_what_needs_a_person(
    client: Client, gift: Gift, undelivered: Gift
) -> None:
    assert "Needs attention" not in read_page(client.get("/admin/"))
    refund_after_claim(gift)
    Gift.objects.filter(pk=undelivered.pk).update(bounced_at=timezone.now())
    Membership.objects.update(push_error="StripeRefused")
    OutgoingMail.objects.create(
        key="receipt:pi_2", kind="receipt", payment=gift.payment, failed_at=timezone.now()
    )
    page = read_page(client.get("/admin/"))
    assert "Needs attention" in page
    for url in (
        admin_url(Gift, "changelist") + "?needs=bounced",
        admin_url(Gift, "changelist") + "?needs=undecided",
        admin_url(Membership, "changelist") + "?needs=not-moved",
        admin_url(OutgoingMail, "changelist") + "?needs=failed",
    ):
        assert f'href="{url}"' in page
        assert len(client.get(url).context["cl"].result_list) == 1


def test_the_first_page_tells_nobody_of_what_they_may_not_see(
    client: Client, trainee: User, gift: Gift
) -> None:
    refund_after_claim(gift)
    assert "Needs attention" not in read_page(client.get("/admin/"))
    grant_permissions(trainee, "view_gift")
    assert "Needs attention" in read_page(client.get("/admin/"))


@pytest.mark.usefixtures("editor", "rows")
def test_a_mail_that_failed_long_ago_or_was_told_on_waits_for_nobody(client: Client) -> None:
    mail = OutgoingMail.objects.get()
    for changes in (
        {"failed_at": at("2020-01-01 12:00"), "told_at": None},
        {"failed_at": timezone.now(), "told_at": timezone.now()},
    ):
        OutgoingMail.objects.filter(pk=mail.pk).update(**changes)
        response = client.get(admin_url(OutgoingMail, "changelist"), {"needs": "failed"})
        assert list(response.context["cl"].result_list) == []
