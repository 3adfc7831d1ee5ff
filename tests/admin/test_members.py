"""Members: their form, granted memberships and offline payments."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import erasures, members, memberships
from campaigns.admin.members import MemberForm
from campaigns.models import Campaign, FormerAddress, Member, Membership
from tests.support.factories import (
    at,
    make_member,
    make_payment,
    make_plan,
    make_price,
    recount_campaign,
)
from tests.support.staff import admin_url, fill_in, measure_primary_goal, read_messages, read_page

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_addresses_are_saved_in_lower_case_and_belong_to_one_member(client: Client) -> None:
    make_member("ada@example.org")
    url = admin_url(Member, "add")
    response = client.post(url, fill_in(client, url, email=" Ben@Example.org ", name="Ben"))
    assert response.status_code == 302
    assert Member.objects.get(name="Ben").email == "ben@example.org"
    response = client.post(url, fill_in(client, url, email="ADA@example.org", name="Ada"))
    assert response.status_code == 200
    assert "This address belongs, or belonged, to another member" in read_page(response)


def grant_fields(**typed: str) -> dict[str, str]:
    return {
        "plan": str(make_plan().pk),
        "starts_at": "2026-11-10T12:00",
        "months": "12",
        "note": "helped us with the archive",
    } | typed


def test_a_granted_membership_has_a_granter_and_a_reason(
    client: Client, editor: User, birthday: Campaign
) -> None:
    ada = make_member("ada@example.org")
    url = admin_url(Member, "grant", ada.pk)
    assert client.get(url).status_code == 200
    response = client.post(url, grant_fields(), follow=True)
    assert "Membership granted for 12 months." in read_messages(response)
    granted = ada.memberships.get()
    assert (granted.source, granted.granted_by, granted.note) == (
        Membership.Source.GRANTED,
        editor,
        "helped us with the archive",
    )
    assert granted.ends_at == at("2027-11-10 12:00")
    assert measure_primary_goal(birthday) == 0


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "active"}, "renews"),
        ({"status": "active", "is_cancelling": True}, "until 10 Nov 2099"),
        ({"status": "ended", "ended_at": at("2026-11-11 12:00")}, "not active"),
    ],
)
def test_the_list_says_who_is_a_member(
    client: Client, birthday: Campaign, changes: dict[str, object], words: str
) -> None:
    ada = make_member("ada@example.org")
    make_payment(ada, birthday, "2026-11-10 12:00")
    ada.memberships.update(ends_at=at("2099-11-10 12:00"), **changes)
    page = read_page(client.get(admin_url(Member, "changelist")))
    assert words in page.partition("field-standing")[2].partition("</td>")[0]


@pytest.mark.usefixtures("editor")
def test_a_second_click_grants_a_membership_once(client: Client) -> None:
    ada = make_member()
    url = admin_url(Member, "grant", ada.pk)
    client.post(url, grant_fields())
    response = client.post(url, grant_fields())
    assert response.status_code == 422
    assert "was already granted" in read_page(response)
    assert ada.memberships.count() == 1


@pytest.mark.usefixtures("editor")
def test_a_grant_from_before_the_campaign_removes_the_member_from_its_count(
    client: Client, birthday: Campaign
) -> None:
    ada = make_member()
    make_payment(ada, birthday, "2026-11-10 12:00")
    recount_campaign(birthday)
    assert measure_primary_goal(birthday) == 1
    client.post(admin_url(Member, "grant", ada.pk), grant_fields(starts_at="2026-10-01T12:00"))
    assert measure_primary_goal(birthday) == 0


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "typed",
    [
        {"note": ""},
        {"note": "x" * 201},
        {"months": "0"},
        {"months": "100000"},
        {"starts_at": "9999-12-31T12:00"},
        {"starts_at": "0001-01-01T12:00"},
        {"starts_at": "2026-11-10T"},
        {"plan": "x"},
        {"plan": "999999"},
    ],
)
def test_a_wrong_grant_is_refused(client: Client, typed: dict[str, str]) -> None:
    ada = make_member()
    response = client.post(admin_url(Member, "grant", ada.pk), grant_fields(**typed))
    assert response.status_code == 422
    assert "errorlist" in read_page(response)
    assert not ada.memberships.exists()


def payment_fields(campaign: Campaign | None, **typed: str) -> dict[str, str]:
    return {
        "amount": "60.50",
        "currency": "eur",
        "paid_at": "2026-11-10T01:30",
        "campaign": str(campaign.pk) if campaign else "",
        "plan": str(make_plan().pk),
        "months": "12",
        "note": "cash at the desk",
    } | typed


def test_an_offline_payment_is_recorded_and_counts(
    client: Client, editor: User, birthday: Campaign
) -> None:
    ada = make_member("ada@example.org")
    url = admin_url(Member, "payment", ada.pk)
    assert client.get(url).status_code == 200
    response = client.post(url, payment_fields(birthday), follow=True)
    assert "It counts as a new member" in read_messages(response)
    payment = ada.payments.get()
    assert (payment.amount_minor, payment.currency, payment.entered_by, payment.note) == (
        6050,
        "eur",
        editor,
        "cash at the desk",
    )
    assert payment.paid_at == at("2026-11-10 01:30")  # in the newsroom's zone
    assert payment.intent_id is None
    assert payment.membership is not None
    assert payment.membership.started_at == payment.paid_at
    assert measure_primary_goal(birthday) == 1
    birthday.refresh_from_db()
    assert birthday.publish_at is not None


@pytest.mark.usefixtures("editor")
def test_a_second_click_records_an_offline_payment_once(client: Client, birthday: Campaign) -> None:
    ada = make_member()
    url = admin_url(Member, "payment", ada.pk)
    client.post(url, payment_fields(birthday))
    response = client.post(url, payment_fields(birthday))
    assert response.status_code == 422
    assert "was already recorded" in read_page(response)
    assert ada.payments.count() == ada.memberships.count() == 1


@pytest.mark.usefixtures("editor")
def test_an_offline_payment_counts_by_the_rule(client: Client, birthday: Campaign) -> None:
    before, after, known = make_member(), make_member(), make_member()
    memberships.grant_membership(
        known,
        plan=None,
        source=Membership.Source.IMPORTED,
        starts_at=at("2026-10-01 00:00"),
        months=12,
    )
    early = payment_fields(birthday, paid_at="2026-10-31T23:59")
    nowhere = payment_fields(None)
    for person, fields in ((before, early), (after, nowhere), (known, payment_fields(birthday))):
        response = client.post(admin_url(Member, "payment", person.pk), fields, follow=True)
        assert "It doesn’t count as a new member" in read_messages(response)
        assert person.payments.count() == 1
    assert measure_primary_goal(birthday) == 0


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "typed",
    [
        {"amount": "0"},
        {"amount": "-5"},
        {"amount": "60.505"},
        {"amount": "60", "currency": "EUR"},
        {"amount": "60.5", "currency": "jpy"},
        {"amount": "1e400"},
        {"amount": "NaN"},
        {"amount": "999999999999999999999"},
        {"paid_at": "2999-01-01T01:30"},
        {"paid_at": "1999-01-01T01:30"},
        {"paid_at": "0001-01-01T01:30"},
        {"paid_at": "9999-12-31T23:59"},
        {"note": ""},
        {"campaign": "999999"},
        {"months": ""},
    ],
)
def test_a_wrong_offline_payment_is_refused(
    client: Client, birthday: Campaign, typed: dict[str, str]
) -> None:
    ada = make_member()
    response = client.post(admin_url(Member, "payment", ada.pk), payment_fields(birthday) | typed)
    assert response.status_code == 422
    assert "errorlist" in read_page(response)
    assert not ada.payments.exists()
    assert not ada.memberships.exists()


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("page", ["grant", "payment"])
def test_the_pages_of_an_unknown_member_are_not_found(client: Client, page: str) -> None:
    assert client.get(admin_url(Member, page, 999999)).status_code == 404


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("page", ["grant", "payment"])
def test_no_membership_gets_the_plan_of_contributions(client: Client, page: str) -> None:
    ada, empty, both = make_member("ada@example.org"), make_plan("empty"), make_plan("both")
    make_price("contribution", plan=make_plan("contribution"))
    for kind in ("contribution", "month"):
        make_price(kind, plan=both)
    form = client.get(admin_url(Member, page, ada.pk)).context["form"]
    assert {plan.slug for plan in form.fields["plan"].queryset} == {empty.slug, both.slug}


# Merges and erasures at the same moment


def merge_into_other(member: Member) -> None:
    members.merge_members(kept=make_member("kept@example.org"), gone=member)


MEANWHILE = pytest.mark.parametrize("happen", [merge_into_other, erasures.request_erasure])


@MEANWHILE
@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("page", ["grant", "payment"])
def test_a_member_who_has_just_been_merged_or_erased_gets_no_new_rows(
    client: Client,
    birthday: Campaign,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    happen: Callable[[Member], object],
) -> None:
    ada = make_member("ada@example.org")

    def check_too_early(member: Member) -> bool:
        monkeypatch.undo()
        happen(member)
        return False

    monkeypatch.setattr("campaigns.admin.erasures.is_being_erased", check_too_early)
    fields = grant_fields() if page == "grant" else payment_fields(birthday)
    response = client.post(admin_url(Member, page, ada.pk), fields)
    assert response.status_code == 422
    assert "just been merged with another, or is being erased" in read_page(response)
    assert not Membership.objects.exists()


@MEANWHILE
@pytest.mark.usefixtures("editor")
def test_a_member_who_has_just_been_merged_or_erased_is_not_overwritten(
    client: Client, monkeypatch: pytest.MonkeyPatch, happen: Callable[[Member], object]
) -> None:
    ada = make_member("ada@example.org")
    url = admin_url(Member, "change", ada.pk)
    typed = fill_in(client, url, name="Ada Else")
    clean = MemberForm.clean_email

    def clean_too_early(form: MemberForm) -> str:
        email = clean(form)
        happen(Member.objects.get(pk=ada.pk))
        return email

    monkeypatch.setattr(MemberForm, "clean_email", clean_too_early)
    assert client.post(url, typed).status_code == 404
    assert not Member.objects.filter(name="Ada Else").exists()


@pytest.mark.usefixtures("editor")
def test_a_new_address_survives_a_change_of_name_by_staff(client: Client) -> None:
    """The old mailbox may belong to another person by now."""
    ada = make_member("ada@example.org")
    url = admin_url(Member, "change", ada.pk)
    typed = fill_in(client, url, name="Ada Else")
    members.set_address(ada, "ada@new.example", at=timezone.now())
    assert client.post(url, typed).status_code == 302
    ada.refresh_from_db()
    assert (ada.email, ada.name) == ("ada@new.example", "Ada Else")
    assert FormerAddress.objects.get().email == "ada@example.org"
