"""A link of one's own: it brings friends, who are counted without names."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import members, settlement
from campaigns.emails import links
from campaigns.models import Campaign, Checkout, Member, OutgoingMail
from campaigns.origins import read_parameters
from campaigns.reports import formats, gather_report
from newsroom.sandbox.control import SandboxControl
from tests.support.erasures import erase
from tests.support.mails import find_link, links_in, send_mail, text_of
from tests.support.pages import main_of, read_form
from tests.support.refunds import refund_at_stripe
from tests.support.sales import CARD, buy
from tests.support.sign_in import open_account_page, sign_in

JOIN = "/campaign/birthday/join/"


@pytest.fixture
def ada(campaign: Campaign, sandbox: SandboxControl) -> Member:
    member = buy(campaign, sandbox).member
    assert member is not None
    return member


def link_of(member: Member, campaign: Campaign) -> str:
    return links.make_share_url(member, campaign)


def join_by(link: str, client: Client, sandbox: SandboxControl, email: str) -> Checkout:
    """Open the link, go on to the form, and become a member."""
    parts = urlsplit(link)
    page = f"https://testserver{parts.path}?{parts.query}"
    form = client.get(f"{JOIN}?from=page", headers={"referer": page})
    fields = read_form(form).fields | {"name": "Friend", "email": email}
    answer = client.post(JOIN, fields | {"price": str(_yearly())})
    checkout = Checkout.objects.get(session_url=answer["Location"])
    sandbox.pay(str(checkout.session_id), card=CARD)
    return settlement.settle_checkout(checkout.pk)


def _yearly() -> int:
    return Checkout.objects.order_by("created_at").values_list("price", flat=True)[0]


def test_friends_are_counted_without_names(
    ada: Member, campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    link = link_of(ada, campaign)
    assert link == link_of(Member.objects.get(pk=ada.pk), campaign)
    for friend in ("ben@example.org", "cleo@example.org"):
        checkout = join_by(link, client, sandbox, friend)
        assert (checkout.placement, checkout.friend) == ("friend", ada.share_code)
    assert members.count_joined_by(ada) == 2
    page = main_of(client.get(f"/membership/thanks/{ada.checkouts.get().pk}/"))
    assert "2 people have joined through your link." in page
    assert link.replace("&", "&amp;") in page
    assert "ben@" not in page
    sign_in(client)
    assert "2 people have joined through your link." in open_account_page(client)
    report = gather_report(campaign, at=timezone.now())
    assert (report.sharing.joined, report.sharing.links) == (2, 1)
    assert "Links that members shared" in formats.as_text(report)
    own = members.gather_data(ada)["own_link"]
    assert own == {"code": ada.share_code, "joined_by_it": 2, "months_given": []}


def test_who_is_refunded_is_no_longer_counted(
    ada: Member, campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    checkout = join_by(link_of(ada, campaign), client, sandbox, "ben@example.org")
    refund_at_stripe(checkout.payments.get(), 6000)
    assert members.count_joined_by(ada) == 0
    assert gather_report(campaign, at=timezone.now()).sharing.joined == 0


def test_nobody_joins_by_their_own_link(
    ada: Member, campaign: Campaign, sandbox: SandboxControl
) -> None:
    link_of(ada, campaign)
    Checkout.objects.update(friend=ada.share_code)
    assert members.count_joined_by(ada) == 0


def test_the_welcome_e_mail_has_the_link(ada: Member, campaign: Campaign) -> None:
    sent = send_mail(OutgoingMail.objects.get(kind="welcome"))
    text = text_of(sent)
    assert "Ask three friends" in text
    ada.refresh_from_db()
    [link] = [link for link in links_in(text) if "friend=" in link]
    assert parse_qs(urlsplit(link).query) == {"from": ["friend"], "friend": [ada.share_code]}
    assert find_link(sent, "/membership/manage/")


def test_before_the_payment_nobody_has_a_link(campaign: Campaign, client: Client) -> None:
    member = Member.objects.create(email="ben@example.org")
    assert member.share_code is None
    assert members.count_joined_by(member) == 0


def test_after_an_erasure_the_link_belongs_to_nobody(
    ada: Member, campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    join_by(link_of(ada, campaign), client, sandbox, "ben@example.org")
    erase(ada)
    ada.refresh_from_db()
    assert (ada.share_code, link_of(ada, campaign)) == (None, "")
    assert gather_report(campaign, at=timezone.now()).sharing.joined == 1


@pytest.mark.parametrize("kept_has_one", [True, False])
def test_a_merge_keeps_the_link_and_its_count(
    ada: Member,
    campaign: Campaign,
    sandbox: SandboxControl,
    client: Client,
    kept_has_one: bool,
) -> None:
    join_by(link_of(ada, campaign), client, sandbox, "ben@example.org")
    kept = Member.objects.create(email="ada.other@example.org")
    if kept_has_one:
        link_of(kept, campaign)
    members.merge_members(kept=kept, gone=ada)
    assert members.count_joined_by(Member.objects.get(pk=kept.pk)) == 1


@pytest.mark.parametrize("code", ["x" * 17, "<b>", "a b", "a@b.example", "é"])
def test_a_code_of_other_characters_is_dropped(code: str) -> None:
    assert read_parameters({"friend": code}).friend == ""
