"""Erasures, as staff start and follow them."""

import pytest
from auditlog.models import LogEntry as HistoryEntry
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import erasures
from campaigns.models import (
    Campaign,
    ErasedAddress,
    Erasure,
    Member,
    OutgoingMail,
    Subscription,
)
from tests.support.factories import make_member, make_payment
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.staff import admin_url, fill_in, grant_permissions, read_messages, read_page

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"


@pytest.fixture
def ada() -> Member:
    return Member.objects.get_or_create_by_email(ADA, name="Ada Reader")


def page(client: Client, member: Member) -> str:
    return read_page(client.get(admin_url(Member, "change", member.pk)))


def test_staff_start_an_erasure_with_a_reason(client: Client, editor: User, ada: Member) -> None:
    url = admin_url(Member, "erase", ada.pk)
    assert f'href="{url}"' in page(client, ada)
    shown = read_page(client.get(url))
    assert "You can’t undo this." in shown
    assert "Ada Reader (ada@example.org)" in " ".join(shown.split())
    assert client.post(url, {"why": ""}).status_code == 422
    assert not Erasure.objects.exists()
    answer = client.post(url, fill_in(client, url, why="asked by letter"), follow=True)
    assert "Erasure started." in read_messages(answer)
    erasure = Erasure.objects.get()
    assert (erasure.member, erasure.asked_by, erasure.why) == (ada, editor, "asked by letter")
    assert OutgoingMail.objects.get().kind == "erasure"
    assert LogEntry.objects.get().object_id == str(ada.pk)
    assert "asked by letter" in page(client, ada)


def test_an_erasure_needs_its_permission(client: Client, trainee: User, ada: Member) -> None:
    grant_permissions(trainee, "view_member", "change_member")
    url = admin_url(Member, "erase", ada.pk)
    assert url not in page(client, ada)
    assert client.get(url).status_code == 403
    assert client.post(url, {"why": "asked"}).status_code == 403
    assert not Erasure.objects.exists()
    grant_permissions(trainee, "erase_member")
    assert client.post(url, {"why": "asked"}).status_code == 302


@pytest.mark.usefixtures("editor")
def test_a_member_being_erased_cannot_be_changed(
    client: Client, ada: Member, birthday: Campaign
) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00")
    url = admin_url(Member, "change", ada.pk)
    typed = fill_in(client, url, name="Ada Else")
    erasures.request_erasure(ada)
    assert client.post(url, typed).status_code == 403
    for name in ("erase", "grant", "payment"):
        assert admin_url(Member, name, ada.pk) not in page(client, ada)
        answer = client.get(admin_url(Member, name, ada.pk), follow=True)
        assert "this member’s data is being erased" in read_messages(answer)
    assert Member.objects.get(pk=ada.pk).name == "Ada Reader"


@pytest.mark.usefixtures("editor")
def test_an_erased_member_is_shown_without_personal_data(client: Client, ada: Member) -> None:
    erasures.request_erasure(ada)
    erasures.strip_rows(ada.pk, at=timezone.now())
    for answer in (
        page(client, ada),
        read_page(client.get(admin_url(Member, "changelist"))),
        read_page(client.get(admin_url(Erasure, "changelist"))),
        read_page(client.get(admin_url(Erasure, "change", Erasure.objects.get().pk))),
    ):
        assert "Ada Reader" not in answer
        assert ADA not in answer
    assert f"erased member {ada.pk}" in page(client, ada)


@pytest.mark.usefixtures("editor")
def test_a_stuck_erasure_needs_attention(client: Client, ada: Member) -> None:
    erasure = erasures.request_erasure(ada)
    assert "Erasures that are stuck" not in read_page(client.get("/admin/"))
    Erasure.objects.filter(pk=erasure.pk).update(error="StripeUnavailable")
    assert "Erasures that are stuck" in read_page(client.get("/admin/"))
    listed = read_page(client.get(admin_url(Erasure, "changelist"), {"needs": "stuck"}))
    assert "Stripe doesn’t answer." in listed


@pytest.mark.usefixtures("editor")
def test_an_erased_address_is_found_by_the_full_address(client: Client, ada: Member) -> None:
    erasures.request_erasure(ada)
    erasures.strip_rows(ada.pk, at=timezone.now())
    kept = ErasedAddress.objects.get()
    for typed, is_found in ((" ADA@example.org", True), ("ada", False)):
        listed = read_page(client.get(admin_url(ErasedAddress, "changelist"), {"q": typed}))
        assert (f"erased address {kept.pk}" in listed) is is_found


@pytest.mark.usefixtures("editor")
def test_no_member_gets_the_placeholder_of_an_erased_address(client: Client, ada: Member) -> None:
    other = make_member("ben@example.org")
    url = admin_url(Member, "change", other.pk)
    typed = fill_in(client, url, email="erased-7@erased.invalid")
    assert client.post(url, typed).status_code == 200
    assert Member.objects.get(pk=other.pk).email == "ben@example.org"


def test_staff_erase_a_newsletter_subscriber(client: Client, editor: User, ada: Member) -> None:
    subscription = make_subscription(make_newsletter(), "nora@example.org")
    url = admin_url(Subscription, "erase")
    assert f'href="{url}"' in read_page(client.get(admin_url(Subscription, "changelist")))
    unknown = client.post(url, {"email": "nobody@example.org"})
    assert "No newsletter subscription has this address." in read_page(unknown)
    members = client.post(url, {"email": ADA})
    assert members["Location"] == admin_url(Member, "erase", ada.pk)
    done = client.post(url, {"email": "Nora@example.org"}, follow=True)
    assert "Subscriber erased." in read_messages(done)
    assert not Subscription.objects.filter(pk=subscription.pk).exists()
    [entry] = HistoryEntry.objects.get_for_object(editor)
    assert (entry.changes_text, entry.actor) == ("Newsletter subscriber erased.", editor)


def test_erasing_a_subscriber_needs_the_permission(client: Client, trainee: User) -> None:
    grant_permissions(trainee, "view_subscription")
    url = admin_url(Subscription, "erase")
    assert url not in read_page(client.get(admin_url(Subscription, "changelist")))
    assert client.post(url, {"email": ADA}).status_code == 403
