"""The history: who changed what in the admin, from what to what, and why."""

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from campaigns import actions, history
from campaigns.admin.base import ViewOnly
from campaigns.erasures import rows, traces
from campaigns.models import Campaign, Gift, Member
from tests.support.factories import make_campaign, make_gift, make_member, make_payment
from tests.support.staff import admin_url, fill_in, read_page, run_action

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Member:
    ada = make_member("ada@example.org")
    Member.objects.filter(pk=ada.pk).update(name="Ada Reader")
    return Member.objects.get(pk=ada.pk)


def entries(row: models.Model) -> list[LogEntry]:
    return list(LogEntry.objects.get_for_object(row).order_by("pk"))


def change_name(client: Client, ada: Member, name: str) -> None:
    url = admin_url(Member, "change", ada.pk)
    assert client.post(url, fill_in(client, url, name=name)).status_code == 302


def test_a_changed_field_is_noted_with_its_values(
    client: Client, editor: User, ada: Member
) -> None:
    before = ada.name
    change_name(client, ada, "Ada Else")
    [entry] = entries(ada)
    assert (entry.actor, entry.changes) == (editor, {"name": [before, "Ada Else"]})
    assert entry.remote_addr is None
    for url in (admin_url(Member, "history", ada.pk), "/admin/auditlog/logentry/?q=Else"):
        page = read_page(client.get(url))
        assert f"<del>{before}</del>" in page
        assert "<ins>Ada Else</ins>" in page
    assert "Ada Else" not in read_page(client.get("/admin/auditlog/logentry/?q=nobody"))


def test_an_action_is_noted_with_its_reason(client: Client, editor: User, gift: Gift) -> None:
    url = admin_url(Gift, "revoke", gift.pk)
    assert client.post(url, fill_in(client, url, why="bought twice")).status_code == 302
    noted = entries(gift)
    assert {entry.actor for entry in noted} == {editor}
    assert {entry.additional_data["reason"] for entry in noted} == {"bought twice"}
    assert any(entry.changes.get("status") == ["delivered", "revoked"] for entry in noted)
    page = read_page(client.get(admin_url(Gift, "history", gift.pk)))
    assert "bought twice" in page
    change_name(client, gift.buyer, "Ada Else")
    assert entries(gift.buyer)[-1].additional_data is None, "a reason belongs to its request"


@pytest.mark.usefixtures("editor")
def test_a_campaigns_history_has_its_texts_also_deleted_ones(
    client: Client, birthday: Campaign
) -> None:
    url = admin_url(Campaign, "change", birthday.pk)
    added = {"copies-TOTAL_FORMS": "2", "copies-1-language": "uk", "copies-1-name": "Третій рік"}
    typed = fill_in(client, url) | added | {"copies-0-headline": "Three good years"}
    assert client.post(url, typed).status_code == 302
    other = make_campaign(slug="other")
    assert client.post(url, fill_in(client, url) | {"copies-1-DELETE": "on"}).status_code == 302
    page = read_page(client.get(admin_url(Campaign, "history", birthday.pk)))
    assert "<ins>Three good years</ins>" in page
    assert "Campaign texts: Third birthday (English)" in page
    assert page.count("Campaign texts: Третій рік") == 2  # added and deleted
    assert "Three good years" not in read_page(client.get(admin_url(Campaign, "history", other.pk)))


def test_actions_of_lists_are_noted(client: Client, editor: User, birthday: Campaign) -> None:
    run_action(client, Campaign, "hide_banners", birthday.pk)
    assert [(entry.actor, entry.changes_text) for entry in entries(birthday)] == [
        (editor, "Banners hidden")
    ]


@pytest.mark.usefixtures("editor")
def test_neither_readers_nor_jobs_are_in_the_history(
    client: Client,
    ada: Member,
    birthday: Campaign,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ada.name = "Ada Reader"
    with django_assert_num_queries(1):  # nothing is read to compare
        ada.save()
    make_payment(ada, birthday, "2026-11-10 12:00")
    client.get("/campaign/birthday/join/")
    make_gift(ada, birthday, "2026-11-10 12:00")
    assert not LogEntry.objects.exists()


def test_no_secret_is_in_the_history() -> None:
    for model, fields in history.NOTED.items():
        noted = set(fields) or {field.name for field in model._meta.fields}
        assert not noted & {"password", "code_hash", "last_login", "subscription_id"}, model


def is_changed_in_a_form(pages: type) -> bool:
    return not issubclass(pages, ViewOnly)


def test_every_model_that_staff_change_in_a_form_is_noted() -> None:
    forms = [each for each in admin.site._registry.values() if is_changed_in_a_form(type(each))]
    inlines = [inline for each in forms for inline in each.inlines if is_changed_in_a_form(inline)]
    changed = {each.model for each in forms} | {inline.model for inline in inlines}
    assert len(changed) > 6
    assert changed <= set(history.NOTED)


def test_an_erasure_removes_the_person_from_the_history(
    client: Client, editor: User, birthday: Campaign
) -> None:
    zoe = make_member("zoe@example.org")
    change_name(client, zoe, "Zoe Reader")
    ben = make_member("ben@example.org")
    change_name(client, ben, "Friend of Zoe Reader")
    payment = make_payment(zoe, birthday, "2026-11-10 12:00")
    with history.changes_by(editor):
        history.give_reason("Zoe Reader asked")
        payment.note = "zoe@example.org paid"
        payment.save()
    zoe.memberships.update(status="ended", ended_at=timezone.now())  # as the first step does
    actions.request_erasure(zoe, by=editor, why="asked")
    zoe.refresh_from_db()
    traces.forget_mentions(traces.find_traces(zoe))
    rows.strip_rows(zoe.pk, at=timezone.now())
    shown = str(list(LogEntry.objects.values()))
    assert "zoe@" not in shown
    assert "Zoe Reader" not in shown
    assert LogEntry.objects.filter(actor=editor).count() >= 3, "who and when is kept"
