"""Erasures don't touch other people with the same name or a similar address."""

import json
import re

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from campaigns import erasures, members
from campaigns.models import (
    Campaign,
    Checkout,
    ErasedAddress,
    Gift,
    Member,
    Membership,
)
from campaigns.models.address_change import Side
from newsroom.sandbox.control import SandboxControl
from tests.support.address_changes import confirm_change
from tests.support.erasures import ZOE, buy_as_zoe, erase, make_recipient, order_as_zoe
from tests.support.extensions import clock as _clock
from tests.support.factories import make_member

clock = _clock  # a fixture
pytestmark = pytest.mark.usefixtures("clock")
MOVED = "zoe@moved.example"
LATER = "2026-12-24T08:00:00+00:00"


def give_to_zoes_address(campaign: Campaign, sandbox: SandboxControl) -> Gift:
    wanted = {"gifts": [make_recipient("Nia", ZOE, "For you", LATER)]}
    checkout = buy_as_zoe(
        campaign, sandbox, "gift", email="ben@example.org", name="Ben", typed=wanted
    )
    return checkout.gifts.get()


def assert_is_nias(gift: Gift, unpaid: Checkout) -> None:
    gift.refresh_from_db()
    unpaid.refresh_from_db()
    assert (gift.recipient_name, gift.recipient_email, gift.message) == ("Nia", ZOE, "For you")
    assert gift.checkout.typed["gifts"][0]["recipient_email"] == ZOE
    assert (unpaid.email, unpaid.name, unpaid.status) == (ZOE, "Nia", "open")
    assert not ErasedAddress.objects.holds(ZOE)


def test_the_new_owner_of_a_former_address_keeps_their_data(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    """A company's mailbox, or one that its provider assigned again."""
    buy_as_zoe(campaign, sandbox, name="Zoë Luczak")
    zoe = Member.objects.get(email=ZOE)
    members.set_address(zoe, MOVED, at=timezone.now())
    nia = make_member("nia@example.org")
    confirm_change(
        members.request_address_change(nia, ZOE, language="en", at=timezone.now()), "old", "new"
    )
    assert Member.objects.find(ZOE) == nia
    gift, unpaid = give_to_zoes_address(campaign, sandbox), order_as_zoe(campaign, name="Nia")
    erase(zoe)
    assert_is_nias(gift, unpaid)
    assert ErasedAddress.objects.holds(MOVED)
    assert not Checkout.objects.filter(name="Zoë Luczak").exists()  # these purchases are hers


def test_a_member_who_confirmed_an_address_for_someone_else_keeps_their_data(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    """A request with someone else's address is confirmed by mistake, then its member is erased."""
    nia, eve = make_member(ZOE), make_member("eve@example.org")
    gift, unpaid = give_to_zoes_address(campaign, sandbox), order_as_zoe(campaign, name="Nia")
    confirm_change(
        members.request_address_change(eve, ZOE, language="en", at=timezone.now()), Side.NEW
    )
    erase(eve)
    assert_is_nias(gift, unpaid)
    assert Member.objects.find(ZOE) == nia


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("note", "is_left"),
    [
        ("asked by zoe.ann@example.org", True),
        ("asked by mary-ann@example.org", True),
        ("asked by ann@example.org.ua", True),
        ("asked by ann@example.org-mail.example", True),
        ("asked by joann@example.org", True),
        ("asked by ann@example.org.", False),
        ("Ann (ann@example.org): by phone", False),
        ("mailto:ANN@example.org", False),
        ("-ann@example.org-", False),
    ],
)
def test_an_address_that_contains_an_erased_one_is_kept(
    campaign: Campaign, note: str, is_left: bool
) -> None:
    other = Membership.objects.create(
        member=make_member("other@example.org"),
        source=Membership.Source.IMPORTED,
        started_at=timezone.now(),
        note=note,
    )
    erase(make_member("ann@example.org"))
    other.refresh_from_db()
    left = note if is_left else re.sub("ann@example.org", "…", note, flags=re.IGNORECASE)
    assert other.note == left


@pytest.mark.parametrize("is_known", [True, False])
def test_notes_about_a_namesake_are_kept(
    campaign: Campaign, django_user_model: type[User], is_known: bool
) -> None:
    """A name that two members have identifies neither."""
    zoe, other = make_member(ZOE), make_member("other@example.org")
    Member.objects.filter(pk=zoe.pk).update(name="Anna Schmidt")
    if is_known:
        Member.objects.filter(pk=other.pk).update(name="anna  SCHMIDT")
    entry = LogEntry.objects.create(
        user=django_user_model.objects.create_user("olha"),
        content_type=ContentType.objects.get_for_model(Member),
        object_id=str(other.pk),
        object_repr="Anna Schmidt",
        action_flag=CHANGE,
        change_message="Anna Schmidt moved to Graz",
    )
    zoe.refresh_from_db()
    erase(zoe)
    entry.refresh_from_db()
    texts = (entry.object_repr, entry.change_message)
    left = ("…", "… moved to Graz")
    assert texts == (("Anna Schmidt", "Anna Schmidt moved to Graz") if is_known else left)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Changed Status and Note.", "… and Note."),
        ("Exchanged Status.", "Exchanged Status."),
        ('[{"changed": {"fields": ["Status", "changed  ST\u00c1TUS"]}}]', None),
        ('["Changed", "Status", 7]', '["Changed", "Status", 7]'),
        ('{"Changed Status": ["Note"]}', json.dumps({"…": ["Note"]})),
        ("Chänged\u00a0Statu\u0301s\u0301, cash", "…, cash"),
    ],
)
def test_a_name_made_of_log_words_removes_only_itself(
    django_user_model: type[User], message: str, left: str | None
) -> None:
    entry = LogEntry.objects.create(
        user=django_user_model.objects.create_user("olha"),
        object_repr="campaign",
        action_flag=CHANGE,
        change_message=message,
    )
    hostile = make_member("mallory@example.org")
    Member.objects.filter(pk=hostile.pk).update(name="Changed Status")
    noted = Membership.objects.create(
        member=make_member("ben@example.org"),
        source="granted",
        started_at=timezone.now(),
        note="CHANGED STATUS: asked mallory@example.org, not mallory@example.org.ua",
    )
    hostile.refresh_from_db()
    erasures.forget_mentions(erasures.find_traces(hostile))
    entry.refresh_from_db()
    noted.refresh_from_db()
    assert entry.object_repr == "campaign"
    if left is None:
        left = json.dumps([{"changed": {"fields": ["Status", "…"]}}])
    assert entry.change_message == left
    assert noted.note == "…: asked …, not mallory@example.org.ua"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["\u0301 \u0301", "\u0301 x", "\u0301 \u0301 \u0301"])
def test_a_name_without_two_words_removes_nothing(name: str) -> None:
    """The name is empty without its accents, and an empty name would match everywhere."""
    hostile = make_member("mallory@example.org")
    Member.objects.filter(pk=hostile.pk).update(name=name)
    noted = Membership.objects.create(
        member=make_member("ben@example.org"),
        source="granted",
        started_at=timezone.now(),
        note="x: cash at the desk",
    )
    hostile.refresh_from_db()
    erasures.forget_mentions(erasures.find_traces(hostile))
    noted.refresh_from_db()
    assert noted.note == "x: cash at the desk"
