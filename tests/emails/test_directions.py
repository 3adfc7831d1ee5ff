"""Names and messages from right to left, in mails, pages and receipts that run the other way."""

import re
from html import unescape

import pypdfium2
import pytest
from django.test import Client
from django.utils.html import escape

from campaigns.emails import links
from campaigns.members.receipts import render_receipt
from campaigns.models import Campaign, Checkout, Gift, Member, OutgoingMail, Payment
from tests.support.factories import make_campaign
from tests.support.mails import (
    html_of,
    make_gift_of_ada,
    make_gifts_of_ada,
    make_mail,
    make_mail_of_kind,
    make_paid_membership,
    send_mail,
    text_of,
)
from tests.support.pages import main_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]

AHMAD = "أحمد علي"
OPEN, CLOSE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
MESSAGE = "Happy birthday!\n\nكل عام وأنت بخير, Ben\nAda"
STAFF = {"dispute", "problem", "gift_bounced_staff", "report"}
KINDS = [kind for kind in OutgoingMail.Kind if kind not in STAFF]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


def rename_everyone() -> None:
    Member.objects.update(name=AHMAD)
    Checkout.objects.update(name=AHMAD)
    Gift.objects.update(buyer_name=AHMAD, recipient_name=AHMAD)


def find_bare_names(text: str) -> list[str]:
    """Return what is around each name that isn't isolated from the words beside it."""
    text = text.replace(f"{OPEN}{AHMAD}{CLOSE}", "").replace(f"<bdi>{AHMAD}</bdi>", "")
    text = re.sub(r"(?:value|content)=\"[^\"]*\"", "", text)
    return re.findall(f".{{0,40}}{AHMAD}.{{0,40}}", text)


# E-mails


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_isolated_in_every_mail(kind: str, birthday: Campaign) -> None:
    mail = make_mail_of_kind(kind, birthday)
    rename_everyone()
    sent = send_mail(mail)
    for part in (str(sent.subject), str(sent.from_email), text_of(sent), html_of(sent)):
        assert find_bare_names(part) == []


def test_the_names_of_several_gifts_are_isolated(birthday: Campaign) -> None:
    gifts = make_gifts_of_ada(birthday, {}, {"recipient_email": ""})
    rename_everyone()
    sent = send_mail(make_mail("gift_bought", gift=gifts[0]))
    for part in (text_of(sent), html_of(sent)):
        assert part.count(AHMAD) >= 3
        assert find_bare_names(part) == []


def test_each_line_of_a_message_has_its_own_direction(birthday: Campaign) -> None:
    gift = make_gift_of_ada(birthday, message=MESSAGE)
    for kind in ("gift_invitation", "gift_bought", "gift_reminder"):
        sent = send_mail(make_mail(kind, gift=gift))
        quoted = f"> Happy birthday!\n>\n> {OPEN}كل عام وأنت بخير, Ben{CLOSE}\n> Ada\n"
        assert quoted in text_of(sent)
        lines = re.findall(r'<div dir="auto">(.*?)</div>', html_of(sent))
        assert [unescape(line).strip() for line in lines] == MESSAGE.split("\n")


def test_a_message_is_text_and_never_markup(birthday: Campaign) -> None:
    gift = make_gift_of_ada(birthday, message="<b>كل</b> & Ada")
    html = html_of(send_mail(make_mail("gift_invitation", gift=gift)))
    assert '<div dir="auto">&lt;b&gt;كل&lt;/b&gt; &amp; Ada</div>' in html


# Receipts


def test_a_name_keeps_its_order_on_a_receipt(birthday: Campaign) -> None:
    payment = make_paid_membership(birthday)
    Member.objects.update(name=f"{AHMAD} (Newsroom)")
    receipt = render_receipt(Payment.objects.get(pk=payment.pk), language="en")
    with pypdfium2.PdfDocument(receipt) as pdf:
        page = pdf[0]
        letters = page.get_textpage()
        shown = letters.get_text_range()
        places = [letters.get_charbox(shown.index(each))[0] for each in (AHMAD[0], "Newsr")]
        page.close()
    assert places[0] > places[1]


# Pages


def test_names_and_messages_are_isolated_on_the_pages_of_a_gift(
    client: Client, birthday: Campaign
) -> None:
    gift = make_gift_of_ada(birthday, message=MESSAGE)
    rename_everyone()
    gift = Gift.objects.select_related("checkout").get(pk=gift.pk)
    addresses = [
        links.build_url("claim", code=gift.code),
        links.build_url("gifts", token=links.make_gifts_token(gift.checkout)),
    ]
    for address in addresses:
        page = main_of(client.get(address))
        assert AHMAD in page
        assert find_bare_names(page) == []
        for line in MESSAGE.splitlines():
            assert not line or f'<div dir="auto">{escape(line)}</div>' in page
