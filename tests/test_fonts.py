"""Characters that no font can draw are left out of pictures, gift cards and receipts."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from PIL import ImageFont

from campaigns import fonts
from campaigns.banners import draw_picture
from campaigns.gifts.cards import render_card
from campaigns.members.receipts import render_receipt
from campaigns.models import Gift
from tests.support.factories import make_campaign, make_gift, make_member, make_payment

pytestmark = pytest.mark.once

FONT = fonts.BUNDLED / "DejaVuSansCondensed.ttf"
NOWHERE = "\U000f0000"  # no font has it


@pytest.fixture(autouse=True)
def no_other_fonts(settings: LazySettings, tmp_path: Path) -> None:
    settings.FONT_DIR = tmp_path


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Third birthday", "Third birthday"),
        ("Ґ, є, Ł, ß, ὦ, €", "Ґ, є, Ł, ß, ὦ, €"),
        ("שלום سلام", "שלום سلام"),
        ("e\N{COMBINING ACUTE ACCENT}", "e\N{COMBINING ACUTE ACCENT}"),
        ("Join \U0001f389 us \U0001f389", "Join us"),
        ("\U0001f468\u200d\U0001f469 Family \u2764\ufe0f", "Family \u2764"),
        ("张伟 Wei", "Wei"),
        ("张伟", ""),
        ("One\n张\nTwo", "One\n\nTwo"),
        ("नमस्ते Asha", "Asha"),
        ("สวัสดี Somchai", "Somchai"),
    ],
)
def test_a_text_loses_what_no_font_can_draw(text: str, drawn: str) -> None:
    assert fonts.drop_missing(text) == drawn


@pytest.mark.parametrize("letter", ["A", "Ґ", "ש", "€", "张", "\U0001f389", "ก"])
def test_the_characters_of_a_font_are_those_that_it_draws(letter: str) -> None:
    font = ImageFont.truetype(str(FONT), 40)
    is_drawn = bytes(font.getmask(letter)) != bytes(font.getmask(NOWHERE))
    assert (letter not in fonts.list_missing(letter)) == is_drawn


def test_a_damaged_font_is_left_out(settings: LazySettings) -> None:
    for name, content in (("a.ttf", b""), ("b.otf", b"ttcf" + b"\xff" * 40), ("c.ttf", b"x" * 99)):
        (settings.FONT_DIR / name).write_bytes(content)
    assert fonts.list_missing("张 ok") == "张"


def test_a_font_in_the_folder_adds_its_characters(settings: LazySettings) -> None:
    fonts._list_characters.cache_clear()
    (settings.FONT_DIR / "more.ttf").write_bytes(FONT.read_bytes())
    assert ord("ש") in fonts._list_characters(settings.FONT_DIR)
    assert fonts.list_folders("张") == [fonts.BUNDLED, settings.FONT_DIR]
    assert fonts.list_folders("only ours") == [fonts.BUNDLED]


@pytest.mark.django_db
def test_an_emoji_in_the_campaigns_name_is_left_out_of_the_picture() -> None:
    campaign = make_campaign()
    plain = draw_picture(campaign, [], language="en")
    campaign.copies.update(name="Third \U0001f382 birthday \U0001f382")
    assert draw_picture(campaign, [], language="en") == plain


@pytest.mark.django_db
def test_a_name_without_a_font_is_left_out_of_receipt_and_card() -> None:
    campaign, member = make_campaign(), make_member("wei@example.org")
    payment = make_payment(member, campaign, "2026-11-10 12:00")
    plain = render_receipt(payment, language="en")
    member.name = payment.member.name = "张伟"
    member.save()
    assert render_receipt(payment, language="en") == plain
    gift = make_gift(member, campaign, "2026-11-10 12:00", recipient_name="", buyer_name="")
    plain = render_card(gift, language="en")
    Gift.objects.update(recipient_name="张伟", buyer_name="สมชาย")
    assert render_card(Gift.objects.get(), language="en") == plain
