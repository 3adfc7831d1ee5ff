"""Merging duplicates, as staff do it."""

import re
from collections.abc import Iterator

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Campaign, Erasure, Member, Membership, Payment
from tests.support.factories import (
    at,
    make_gift,
    make_member,
    make_payment,
    record_claim,
    recount_campaign,
)
from tests.support.staff import (
    MARKUP,
    admin_url,
    fill_in,
    grant_permissions,
    measure_primary_goal,
    read_messages,
    read_page,
)

pytestmark = pytest.mark.django_db

NOW = at("2026-11-20 12:00")
WHY = "she wrote to us from both"


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ada() -> Member:
    member = make_member("ada@example.org")
    Member.objects.filter(pk=member.pk).update(name="Ada Reader", created_at=at("2024-05-01 00:00"))
    return Member.objects.get(pk=member.pk)


@pytest.fixture
def adele(birthday: Campaign, ada: Member) -> Member:
    """A duplicate of Ada. Both paid in the campaign, and each has a gift."""
    member = make_member("adele@example.net")
    make_payment(ada, birthday, "2026-11-10 12:00")
    make_payment(member, birthday, "2026-11-08 12:00")
    record_claim(make_gift(ada, birthday, "2026-11-09 12:00"), member, "2026-11-12 12:00")
    recount_campaign(birthday)
    return member


def merge_url(kept: Member, gone: Member) -> str:
    return admin_url(Member, "merge", kept.pk, gone.pk)


def text_of(page: str) -> str:
    main = page[page.index('id="content-main"') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("typed", [" Adele@Example.net", "number", "former"])
def test_a_duplicate_is_found_by_address_or_number(
    client: Client, adele: Member, typed: str
) -> None:
    ada = Member.objects.get(email="ada@example.org")
    adele.former_addresses.create(email="maiden@example.net")
    typed = {"number": str(adele.pk), "former": "maiden@example.net"}.get(typed, typed)
    page = read_page(client.get(admin_url(Member, "change", ada.pk)))
    assert f'href="{admin_url(Member, "find_duplicate", ada.pk)}"' in page
    response = client.post(admin_url(Member, "find_duplicate", ada.pk), {"other": typed})
    assert response.status_code == 302
    assert response.headers["Location"] == merge_url(ada, adele)


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "required"),
        ("nobody@example.org", "No member found."),
        ("999999", "No member found."),
        ("9" * 200, "No member found."),
        ("ada@example.org", "This is the same member."),
    ],
)
def test_an_unknown_duplicate_is_an_error_in_the_form(
    client: Client, ada: Member, typed: str, said: str
) -> None:
    response = client.post(admin_url(Member, "find_duplicate", ada.pk), {"other": typed})
    assert response.status_code == 422
    assert said in read_page(response)


@pytest.mark.usefixtures("editor")
def test_both_members_are_shown_with_what_counts_before_and_after(
    client: Client, birthday: Campaign, ada: Member, adele: Member
) -> None:
    Member.objects.filter(pk=adele.pk).update(name=MARKUP)
    assert (
        measure_primary_goal(birthday) == 2
    )  # Ada by her payment, Adele by the gift that she claimed
    page = read_page(client.get(merge_url(ada, adele)))
    assert MARKUP not in page
    text = text_of(page)
    assert "You can’t undo this." in text
    for words in ("ada@example.org", "adele@example.net", "Member record since 1 May 2024", "€60"):
        assert words in text
    assert "Gifts claimed 12 November 2026" in text
    now, after = text.split("After: ")
    assert "Third birthday Before: 1 member counts" in now
    assert after.startswith("0 members count")
    assert "Ada Reader: from 10 November 2026, 12:00" in now
    assert "Ada Reader: from 8 November 2026, 12:00 until 12 November 2026, 12:00" in after
    assert "two subscriptions" in text
    for subscription in Membership.objects.filter(source="subscription"):
        assert admin_url(Membership, "change", subscription.pk) in page
    assert merge_url(adele, ada) in page
    assert measure_primary_goal(birthday) == 2, "looking changes nothing"


@pytest.mark.usefixtures("editor")
def test_no_second_subscription_is_reported_without_one(client: Client, ada: Member) -> None:
    text = text_of(read_page(client.get(merge_url(ada, make_member()))))
    assert "two subscriptions" not in text
    assert "Neither member counts" in text


def test_duplicates_are_merged_and_the_history_says_why(
    client: Client, editor: User, birthday: Campaign, ada: Member, adele: Member
) -> None:
    url = merge_url(ada, adele)
    response = client.post(url, fill_in(client, url, why=WHY), follow=True)
    assert response.redirect_chain == [(admin_url(Member, "change", ada.pk), 302)]
    assert "Members merged." in read_messages(response)
    assert not Member.objects.filter(pk=adele.pk).exists()
    assert ada.payments.count() == Payment.objects.count() == 3
    assert measure_primary_goal(birthday) == 1
    history = read_page(client.get(admin_url(Member, "history", ada.pk)))
    assert f"Merged with member {adele.pk}" in history
    assert WHY in history
    assert editor.get_username() in history
    assert "adele@example.net" not in history


@pytest.mark.usefixtures("editor")
def test_a_merge_needs_a_reason(client: Client, ada: Member, adele: Member) -> None:
    url = merge_url(ada, adele)
    response = client.post(url, fill_in(client, url))
    assert response.status_code == 422
    assert "errorlist" in read_page(response)
    assert Member.objects.filter(pk=adele.pk).exists()


@pytest.mark.usefixtures("editor")
def test_a_merge_is_shown_again_if_a_row_has_changed(
    client: Client, birthday: Campaign, ada: Member, adele: Member
) -> None:
    url = merge_url(ada, adele)
    fields = fill_in(client, url, why=WHY)
    make_payment(adele, birthday, "2026-11-20 12:00")
    response = client.post(url, fields)
    assert response.status_code == 422
    assert "Something has changed since you opened this page." in read_page(response)
    assert Member.objects.filter(pk=adele.pk).exists()
    response = client.post(url, fill_in(client, url, why=WHY))
    assert response.status_code == 302
    assert not Member.objects.filter(pk=adele.pk).exists()


@pytest.mark.usefixtures("editor")
def test_a_second_click_finds_no_duplicate(client: Client, ada: Member, adele: Member) -> None:
    url = merge_url(ada, adele)
    fields = fill_in(client, url, why=WHY)
    assert client.post(url, fields).status_code == 302
    answer = client.post(url, fields, follow=True)
    assert "the other member is merged by now" in read_messages(answer)
    assert client.get(merge_url(adele, ada)).status_code == 404


@pytest.mark.usefixtures("editor")
def test_a_refused_merge_leads_back_to_the_member(
    client: Client, ada: Member, adele: Member
) -> None:
    Erasure.objects.create(member=adele)
    response = client.get(merge_url(ada, adele), follow=True)
    assert response.redirect_chain == [(admin_url(Member, "change", ada.pk), 302)]
    assert "being erased" in read_messages(response)
    response = client.get(merge_url(ada, ada), follow=True)
    assert "already the same member" in read_messages(response)
    page = read_page(client.get(admin_url(Member, "change", adele.pk)))
    assert admin_url(Member, "find_duplicate", adele.pk) not in page


def test_a_merge_needs_its_permission(
    client: Client, trainee: User, ada: Member, adele: Member
) -> None:
    grant_permissions(trainee, "view_member", "change_member")
    for url in (merge_url(ada, adele), admin_url(Member, "find_duplicate", ada.pk)):
        assert client.get(url).status_code == 403
        assert client.post(url, {"why": WHY, "seen": "0"}).status_code == 403
    assert admin_url(Member, "find_duplicate", ada.pk) not in read_page(
        client.get(admin_url(Member, "change", ada.pk))
    )
    grant_permissions(trainee, "merge_members")
    client.force_login(User.objects.get(pk=trainee.pk))
    assert client.get(merge_url(ada, adele)).status_code == 200
