"""Rules for every kind of e-mail, in text and HTML."""

import re
from copy import deepcopy
from email import message_from_bytes, policy
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.conf import settings as site
from django.test import Client
from PIL import Image

from campaigns.emails import links
from campaigns.models import Campaign, Gift, Look, Member, OptOut, OutgoingMail
from campaigns.models.opt_out import hash_address
from tests.support.factories import make_campaign
from tests.support.mails import (
    assert_no_longer_wanted,
    html_of,
    links_in,
    make_gift_of_ada,
    make_mail,
    make_mail_of_kind,
    read_both_parts,
    read_html,
    send_mail,
    text_of,
)

LOGO = '<svg viewBox="0 0 40 10"><path fill="green" d="M0 0h20v10h-20z"/></svg>'

pytestmark = [pytest.mark.django_db, pytest.mark.once]
ROOT = Path(__file__).resolve().parents[2]
KINDS = [str(kind) for kind in OutgoingMail.Kind.values]
REMINDERS = {"gift_reminder", "gift_unclaimed", "gift_ending", "unfinished"}
HEADERS = {"Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID"}


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture(autouse=True)
def desk(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = "desk@example.org"


# All kinds


@pytest.mark.parametrize("language", ["en", "uk"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_a_campaign", [True, False], ids=["campaign", "no campaign"])
def test_every_e_mail_renders_completely_in_every_language(
    kind: str, language: str, in_a_campaign: bool, settings: LazySettings
) -> None:
    engine: Any = deepcopy(settings.TEMPLATES)
    engine[0]["OPTIONS"]["string_if_invalid"] = "[unresolved %s]"
    settings.TEMPLATES = engine
    sent = send_mail(
        make_mail_of_kind(kind, make_campaign() if in_a_campaign else None, language=language)
    )
    for part in (sent.subject, text_of(sent), html_of(sent).partition("</style>")[2]):
        for leftover in ("{{", "{%", "None", "[unresolved", "&amp;amp;"):
            assert leftover not in part
    assert "\n\n\n" not in text_of(sent)
    assert f'<html lang="{language}">' in html_of(sent)
    assert f'role="article" lang="{language}"' in html_of(sent)
    assert not any(line != line.strip() for line in text_of(sent).splitlines())


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_say_the_same(kind: str, birthday: Campaign) -> None:
    text, html = read_both_parts(send_mail(make_mail_of_kind(kind, birthday)))
    html_words = set(re.findall(r"\w+", html))
    text_words = set(re.findall(r"\w+", text))
    # The text has no headline and spells out the addresses that HTML hides behind links.
    without_links = re.sub(r"https?://\S+", "", text)
    assert set(re.findall(r"\w+", without_links)) - html_words <= set()
    assert len(html_words - text_words) < 9, html_words - text_words


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_is_absolute_and_in_both_parts(kind: str, birthday: Campaign) -> None:
    sent = send_mail(make_mail_of_kind(kind, birthday))
    found = read_html(sent).links
    assert found
    assert all(urlsplit(link).scheme in {"http", "https"} for link in found)
    assert set(found) == set(links_in(text_of(sent)))


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_our_links_opens_a_page(kind: str, birthday: Campaign, client: Client) -> None:
    sent = send_mail(make_mail_of_kind(kind, birthday))
    ours = [link for link in read_html(sent).links if link.startswith(site.SITE_URL)]
    for link in set(ours) - {f"{site.SITE_URL}/"}:  # the front page belongs to the newspaper
        answer = client.get(urlsplit(link).path, follow=True)  # staff are asked to log in
        assert answer.status_code == 200, link


@pytest.mark.parametrize("kind", KINDS)
def test_an_e_mail_loads_nothing_from_the_web(kind: str, birthday: Campaign) -> None:
    sent = send_mail(make_mail_of_kind(kind, birthday))
    assert not {"link", "script", "iframe", "form"} & set(read_html(sent).tags)
    sources = re.findall(r'src="([^"]*)"', html_of(sent))
    assert len(sources) == read_html(sent).tags.count("img")
    assert all(source.startswith("cid:") for source in sources)
    assert "url(" not in html_of(sent)
    assert "@import" not in html_of(sent)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sender_is_the_newsroom_and_replies_reach_it(kind: str, birthday: Campaign) -> None:
    sent = send_mail(make_mail_of_kind(kind, birthday))
    message = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    (sender,) = message["from"].addresses
    assert sender.addr_spec == site.DEFAULT_FROM_EMAIL
    assert site.NEWSROOM_NAME in sender.display_name
    for part in read_both_parts(sent):
        assert f"write to {site.DEFAULT_FROM_EMAIL}" in part


def test_styles_are_inlined_except_dark_mode(birthday: Campaign) -> None:
    html = html_of(send_mail(make_mail_of_kind("gift_invitation", birthday)))
    button = re.search(r'<a class="button"[^>]*style="([^"]*)"', html)
    assert button
    assert "background-color: #1d4e89" in button[1]
    body = html.partition("</style>")[2]
    assert "#171613" not in body
    assert "prefers-color-scheme: dark" in html.partition("</style>")[0]


# Colours


def test_e_mails_have_no_colours_but_those_of_the_newsrooms_look() -> None:
    base = (ROOT / "templates/emails/base.html").read_text()
    assert not re.search(r"#[0-9a-f]{3,6}\b", base)


def test_e_mails_show_the_colours_that_staff_chose(birthday: Campaign) -> None:
    Look.objects.create(accent="#123456", dark_accent="#abcdef", name="The Evening Post")
    html = html_of(send_mail(make_mail("gift_bought", gift=make_gift_of_ada(birthday))))
    assert "background-color: #123456" in html
    assert "background-color: #abcdef !important" in html
    assert "The Evening Post" in html


def test_e_mails_show_the_logo_that_staff_chose(birthday: Campaign) -> None:
    mail = partial(make_mail, "gift_bought", gift=make_gift_of_ada(birthday))
    assert "<img" not in html_of(send_mail(mail()))
    Look.objects.create(name="The Evening Post", paper="#fffbe6", logo=LOGO)
    OutgoingMail.objects.all().delete()
    sent = send_mail(mail())
    [image] = re.findall(r"<img[^>]*>", html_of(sent))
    assert 'src="cid:logo" alt="The Evening Post" width="128" height="32"' in image
    message = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    [part] = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert part["Content-ID"] == "<logo>"
    png = part.get_payload(decode=True)
    assert isinstance(png, bytes)
    picture = Image.open(BytesIO(png)).convert("RGB")
    assert picture.size == (256, 64)
    # Its own paper is part of it: a dark mail program shows no dark logo on dark.
    assert [picture.getpixel(at) for at in ((40, 40), (200, 40))] == [(0, 128, 0), (255, 251, 230)]
    assert len(png) < 3000


def test_a_logo_without_a_size_leaves_the_name(birthday: Campaign) -> None:
    Look.objects.create(name="The Evening Post", logo=LOGO.replace("0 0 40 10", "0 0 40 0"))
    html = html_of(send_mail(make_mail("gift_bought", gift=make_gift_of_ada(birthday))))
    assert "<img" not in html
    assert ">The Evening Post<" in html


# Texts that people type


def test_typed_texts_are_never_markup(birthday: Campaign) -> None:
    typed = '<b>"bold"</b> & <script>alert(1)</script> {{ gift.code_hash }} <a href="x">x</a>'
    gift = make_gift_of_ada(
        birthday, message=typed, buyer_name="O'Neil <i>", recipient_name="<u>Ben</u> & Co"
    )
    for kind in ("gift_bought", "gift_reminder", "gift_invitation"):
        sent = send_mail(make_mail(kind, gift=gift))
        assert typed in text_of(sent)
        assert typed in read_html(sent).text
        assert not {"b", "i", "u", "script"} & set(read_html(sent).tags)
        assert "x" not in read_html(sent).links
    assert sent.subject == "O'Neil <i> has given you 12 months of The Meridian Post"
    assert "Hello <u>Ben</u> & Co," in text_of(sent)


def test_a_url_in_a_message_does_not_become_a_link(birthday: Campaign) -> None:
    gift = make_gift_of_ada(birthday, message="Look: https://evil.example/pay and www.evil.example")
    for kind in ("gift_bought", "gift_invitation", "gift_reminder"):
        sent = send_mail(make_mail(kind, gift=gift))
        assert "https://evil.example/pay and www.evil.example" in text_of(sent)
        assert not any("evil.example" in link for link in read_html(sent).links)


NAMED_GIFTS = sorted(kind for kind in KINDS if kind.startswith("gift_"))


@pytest.mark.parametrize("kind", NAMED_GIFTS)
def test_names_never_become_markup_or_headers(kind: str, birthday: Campaign) -> None:
    evil = "Eve\r\nBcc: victim@example.org\r\n\r\n<h4>Pay</h4> <a href='https://evil.example/'>"
    mail = make_mail_of_kind(kind, birthday)
    Gift.objects.update(buyer_name=evil, recipient_name=evil, message=evil)
    Member.objects.update(name=evil)
    mail.refresh_from_db()
    sent = send_mail(mail)
    message = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    assert set(message.keys()) <= {*HEADERS, "List-Unsubscribe", "List-Unsubscribe-Post"}
    assert sent.recipients() == [sent.to[0]]
    (sender,) = message["from"].addresses
    assert sender.addr_spec == site.DEFAULT_FROM_EMAIL
    assert "h4" not in read_html(sent).tags
    assert "https://evil.example/" not in read_html(sent).links


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028"])
def test_a_line_break_in_a_name_starts_no_header(birthday: Campaign, line_break: str) -> None:
    evil = f"Eve{line_break}Bcc: victim@example.org{line_break}{line_break}<h1>Pay here</h1>"
    gift = make_gift_of_ada(birthday, buyer_name=evil, recipient_name=evil)
    for kind in ("gift_bought", "gift_invitation"):
        sent = send_mail(make_mail(kind, gift=gift))
        raw = sent.message().as_bytes()
        message = message_from_bytes(raw, policy=policy.default)
        assert set(message.keys()) <= HEADERS
        assert sent.recipients() == [sent.to[0]]
        assert message.is_multipart()
        assert "Eve Bcc: victim@example.org" in message["subject"]


@pytest.mark.parametrize(
    "name",
    [
        "Eve <eve@evil.example>",
        'Eve" <eve@evil.example>, "',
        "eve@evil.example,",
        "Ада Читачка " * 9,
        "\N{PARTY POPPER}" * 120,
    ],
)
def test_a_name_cannot_change_the_senders_address(birthday: Campaign, name: str) -> None:
    sent = send_mail(make_mail("gift_invitation", gift=make_gift_of_ada(birthday, buyer_name=name)))
    message = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    (sender,) = message["from"].addresses
    assert sender.addr_spec == site.DEFAULT_FROM_EMAIL
    assert sender.display_name == f"{' '.join(name.split())} / {site.NEWSROOM_NAME}"


# Opting out of reminders


@pytest.mark.parametrize("kind", KINDS)
def test_only_reminders_can_be_stopped(kind: str, birthday: Campaign) -> None:
    sent = send_mail(make_mail_of_kind(kind, birthday))
    message = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    stop_links = {link for link in read_html(sent).links if "/no-reminders/" in link}
    for part in read_both_parts(sent):
        assert ("Stop reminders" in part) == (kind in REMINDERS)
    if kind not in REMINDERS:
        assert not stop_links
    if kind not in REMINDERS | {"report"}:  # tests/views/test_stop_reports.py
        # A request for newsletters can be dropped with the mail program's button.
        is_list = any(name.lower().startswith("list-") for name in message)
        assert is_list == (kind == "newsletter")
    if kind not in REMINDERS:
        return
    # https://www.rfc-editor.org/rfc/rfc8058
    (stop_link,) = stop_links
    assert message["List-Unsubscribe"].strip() == f"<{stop_link}>"  # a long header is folded
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address_hash = links.read_opt_out_token(urlsplit(stop_link).path.split("/")[-2])
    assert address_hash == hash_address(sent.to[0])


def test_the_mail_programs_unsubscribe_button_stops_reminders(birthday: Campaign) -> None:
    sent = send_mail(make_mail_of_kind("gift_reminder", birthday))
    address = sent.extra_headers["List-Unsubscribe"].strip("<>")
    no_cookies = Client(enforce_csrf_checks=True)
    answer = no_cookies.post(urlsplit(address).path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert OptOut.objects.holds(sent.to[0])


@pytest.mark.parametrize("kind", KINDS)
def test_an_opt_out_stops_reminders_and_nothing_else(kind: str, birthday: Campaign) -> None:
    for address in ("ada@example.org", "Ben@Example.org ", "cleo@example.org"):
        OptOut.objects.create(address_hash=hash_address(address))
    mail = make_mail_of_kind(kind, birthday)
    if kind in REMINDERS:
        assert_no_longer_wanted(mail)
    else:
        send_mail(mail)


def test_an_opt_out_survives_a_change_of_the_key(
    birthday: Campaign, settings: LazySettings
) -> None:
    OptOut.objects.create(address_hash=hash_address("ben@example.org"))
    settings.GIFT_CODE_KEY_FALLBACKS = [settings.GIFT_CODE_KEY]
    settings.GIFT_CODE_KEY = "another-key-that-is-long-enough-for-a-test"
    assert_no_longer_wanted(make_mail_of_kind("gift_reminder", birthday))
