"""The page of a person: notes by staff, and what can be done from there."""

import json

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from campaigns import actions, erasures, members
from campaigns.models import Campaign, Erasure, Member, MemberNote, OutgoingMail
from campaigns.models.erasure import is_of_erased
from tests.support.factories import make_checkout, make_member, make_payment
from tests.support.staff import MARKUP, admin_url, fill_in, read_messages, read_page, sign_in_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(birthday: Campaign) -> Member:
    ada = make_member("ada@example.org")
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    ada.memberships.update(checkout=make_checkout(birthday, member=ada, status="paid"))
    OutgoingMail.objects.create(key="receipt:1", kind="receipt", payment=payment, due_at=None)
    return ada


def page_of(client: Client, member: Member) -> str:
    return read_page(client.get(admin_url(Member, "change", member.pk)))


def test_a_note_says_who_wrote_it_and_is_deleted_again(
    client: Client, editor: User, ada: Member
) -> None:
    url = admin_url(Member, "note", ada.pk)
    answer = client.post(url, fill_in(client, url, text=f"Called twice. {MARKUP}"), follow=True)
    assert read_messages(answer) == "Note added."
    page = page_of(client, ada)
    assert "Called twice." in page
    assert MARKUP not in page
    assert "editor" in page
    note = MemberNote.objects.get()
    assert client.get(admin_url(Member, "delete_note", ada.pk, note.pk)).status_code == 404
    client.post(admin_url(Member, "delete_note", ada.pk, note.pk))
    assert not MemberNote.objects.exists()
    history = read_page(client.get(admin_url(Member, "history", ada.pk)))
    assert "Note added." in history
    assert "Note deleted." in history
    assert "Called twice" not in history


def test_an_empty_note_is_refused(client: Client, editor: User, ada: Member) -> None:
    answer = client.post(admin_url(Member, "note", ada.pk), {"text": "  "})
    assert answer.status_code == 422
    assert not MemberNote.objects.exists()


def test_notes_move_with_a_merge_and_end_with_an_erasure(editor: User, ada: Member) -> None:
    twin = make_member("ada.twin@example.org")
    actions.add_member_note(twin, text="Prefers post", by=editor)
    actions.merge_members(kept=ada, gone=twin)
    assert ada.notes.get().text == "Prefers post"
    assert members.gather_data(ada)["notes_by_staff"][0]["text"] == "Prefers post"
    ada.memberships.update(status="ended", ended_at=ada.created_at)
    Erasure.objects.create(member=ada, why="asked")
    erasures.rows.strip_rows(ada.pk, at=ada.created_at)
    ada.refresh_from_db()
    assert is_of_erased(ada.email)
    assert not MemberNote.objects.exists()
    with pytest.raises(actions.MemberGone):
        actions.add_member_note(ada, text="Too late", by=editor)


def test_finance_reads_notes_and_writes_none(client: Client, editor: User, ada: Member) -> None:
    actions.add_member_note(ada, text="Prefers post", by=editor)
    user = User.objects.create_user("books", is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    sign_in_staff(client, user)
    page = page_of(client, ada)
    assert "Prefers post" in page
    assert "Delete note" not in page
    assert client.post(admin_url(Member, "note", ada.pk), {"text": "x"}).status_code == 403


@pytest.mark.usefixtures("editor")
def test_the_page_offers_every_step(client: Client, ada: Member) -> None:
    page = page_of(client, ada)
    payment, membership = ada.payments.get(), ada.memberships.get()
    for label, path in (
        ("Refund €60 of 10 Nov 2026", f"payment/{payment.pk}/refund/"),
        ("Cancel subscription", f"membership/{membership.pk}/cancel/"),
        ("End membership now", f"membership/{membership.pk}/end/"),
        ("Add note", f"member/{ada.pk}/note/"),
        ("Resend e-mails", f"member/{ada.pk}/resend/"),
        ("Merge duplicate", f"member/{ada.pk}/merge/"),
        ("Download data", f"member/{ada.pk}/data.json"),
        ("Erase personal data", f"member/{ada.pk}/erase/"),
    ):
        assert label in page
        assert f'href="/admin/campaigns/{path}"' in page


@pytest.mark.usefixtures("editor")
def test_chosen_mails_are_resent(client: Client, ada: Member) -> None:
    mail = OutgoingMail.objects.get()
    other = OutgoingMail.objects.create(key="other", kind="receipt", due_at=None)
    url = admin_url(Member, "resend", ada.pk)
    assert client.post(url, {"seen": "0"}).status_code == 422
    answer = client.post(url, {"mails": [mail.pk, other.pk]})
    assert answer.status_code == 422  # it belongs to somebody else
    answer = client.post(url, {"mails": [mail.pk]}, follow=True)
    assert read_messages(answer) == "1 e-mail will be resent."
    mail.refresh_from_db()
    assert mail.due_at is not None or mail.sent_at is not None


@pytest.mark.usefixtures("editor")
def test_the_data_of_a_member_is_downloaded_and_that_is_noted(client: Client, ada: Member) -> None:
    answer = client.get(admin_url(Member, "export", ada.pk))
    assert answer["Content-Disposition"] == f'attachment; filename="member-{ada.pk}.json"'
    assert json.loads(answer.content)["person"]["email"] == "ada@example.org"
    assert "Data downloaded." in read_page(client.get(admin_url(Member, "history", ada.pk)))
