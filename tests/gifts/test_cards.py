"""The printable gift card, read back from its PDF as a printer and a phone see it."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pypdfium2
import pytest
import zxingcpp
from django.urls import resolve
from django.utils.translation import override
from PIL import Image

from campaigns import gifts
from campaigns.emails import links
from campaigns.gifts import cards
from campaigns.models import Gift, Look
from tests.support.factories import make_campaign, make_gift, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LOGO = (
    '<svg viewBox="0 0 40 10"><path fill="green" d="M0 0h20v10h-20z"/>'
    '<path fill="currentColor" d="M20 0h20v10h-20z"/></svg>'
)
A5 = (595.28, 419.53)  # points, across
MARKUP = r"""#import "x": * #read("/x") *bold* _thin_ $x^2$ <b>&amp;</b> \\ `raw` @ref = - ~"""


@pytest.fixture
def gift() -> Gift:
    return give()


def give(**changes: Any) -> Gift:
    return make_gift(make_member(), make_campaign(), "2026-11-10 12:00", **changes)


def read_text(card: bytes) -> str:
    """Return all text of the single page in its order, with one space for each gap."""
    with pypdfium2.PdfDocument(card) as pdf:
        assert len(pdf) == 1
        page = pdf[0]
        text = page.get_textpage().get_text_range()
        page.close()
    return " ".join(text.split())


def draw(card: bytes, *, scale: float = 3) -> Image.Image:
    """Draw the page as a printer does, at 216 dots per inch by default."""
    with pypdfium2.PdfDocument(card) as pdf:
        assert len(pdf) == 1
        page = pdf[0]
        assert page.get_size() == pytest.approx(A5, abs=0.5)
        picture: Image.Image = page.render(scale=scale).to_pil()
        page.close()
    return picture


def scan(picture: Image.Image) -> str:
    [found] = zxingcpp.read_barcodes(picture)
    return found.text


def find_claimed(address: str) -> Gift | None:
    """Return the gift that the address leads to."""
    match = resolve(urlsplit(address).path)
    assert match.url_name == "claim"
    return gifts.find_gift(match.kwargs["code"])


def is_blank(picture: Image.Image, box: tuple[float, float, float, float]) -> bool:
    """Return whether the box is blank; its edges are fractions of the page."""
    width, height = picture.size
    left, top, right, bottom = box
    part = picture.crop(
        (int(left * width), int(top * height), int(right * width), int(bottom * height))
    )
    return all(low > 250 for low, _ in part.convert("RGB").getextrema())  # type: ignore[misc]


# The link and the code


def test_the_qr_code_leads_to_the_gift(gift: Gift) -> None:
    address = scan(draw(cards.render_card(gift, language="en")))
    assert address == links.build_url("claim", code=gift.code)
    assert find_claimed(address) == gift


def test_the_link_and_the_code_can_be_read_and_typed(gift: Gift) -> None:
    text = read_text(cards.render_card(gift, language="en"))
    assert links.build_url("claim", code=gift.code) in text
    assert f"Or enter this claim code: {gift.code}" in text
    assert links.build_url("claim_by_code") in text
    assert gifts.find_gift(gift.code) == gift


def test_a_given_code_replaces_that_of_the_gift(gift: Gift) -> None:
    code = "00000-11111-22222-33333"
    card = cards.render_card(gift, language="en", code=code)
    assert scan(draw(card)) == links.build_url("claim", code=code)
    assert code in read_text(card)
    assert gift.code not in read_text(card)


def test_a_long_address_of_the_site_still_fits(gift: Gift, settings: Any) -> None:
    settings.SITE_URL = f"https://{'membership.' * 7}the-meridian-post.example"
    card = cards.render_card(gift, language="en")
    address = links.build_url("claim", code=gift.code)
    assert scan(draw(card)) == address
    assert address.replace("-", "") in read_text(card).replace(" ", "").replace("-", "")
    assert is_blank(draw(card), (0.97, 0, 1, 1))


# Texts


def test_the_card_names_the_buyer_the_recipient_the_gift_and_its_expiry(settings: Any) -> None:
    settings.NEWSROOM_NAME = "The Meridian Post"
    # It is already the first of the month in Kyiv.
    gift = give(expires_at=datetime(2027, 11, 30, 22, 30, tzinfo=UTC), message="Read it.")
    text = read_text(cards.render_card(gift, language="en"))
    for said in (
        "A gift for Ben",
        "Read it.",
        "— Ada Reader",
        "Ada Reader has given you 12 months of The Meridian Post",
        "Member, 12 months from the day you claim it",
        "It’s already paid for: you don’t pay anything, we don’t ask for a card,",
        "The gift can be claimed once, until 1 December 2027.",
    ):
        assert said in text


def test_a_card_needs_no_names_and_no_message() -> None:
    gift = give(recipient_name="", buyer_name="", message="")
    text = read_text(cards.render_card(gift, language="en"))
    assert "A gift for you" in text
    assert "You’ve been given 12 months of" in text
    assert "—" not in text


def test_the_card_can_be_in_ukrainian() -> None:
    gift = give(recipient_name="Їжак Ґалаґан", message="Люба Соломіє!")
    text = read_text(cards.render_card(gift, language="uk"))
    assert "Ada Reader дарує вам 12 місяців" in text
    assert "Подарунок уже оплачено" in text
    assert "Їжак Ґалаґан" in text
    assert "Люба Соломіє!" in text


def test_the_active_language_does_not_matter(gift: Gift) -> None:
    here = cards.render_card(gift, language="en")
    with override("uk"):
        assert cards.render_card(gift, language="en") == here


@pytest.mark.parametrize(
    "name", ["Ёлкіна", "Їжак", "Ķēniņš", "Ğül Şen", "Nguyễn", "Ελένη", "O'Neil"]
)
def test_names_keep_their_script(name: str) -> None:
    gift = give(recipient_name=name, buyer_name=name)
    text = read_text(cards.render_card(gift, language="en"))
    assert f"A gift for {name}" in text
    assert f"{name} has given you" in text


@pytest.mark.parametrize(
    "message",
    ["你好，新年快乐", "🎁🎄👩‍👩‍👧", "שלום דניאל", "مرحبا بك", "नमस्ते", "\uffff\ue000\U000e0001"],
)
def test_a_message_in_any_script_makes_a_card(message: str) -> None:
    gift = give(recipient_name=message, buyer_name=message, message=message)
    assert find_claimed(scan(draw(cards.render_card(gift, language="en")))) == gift


@pytest.mark.parametrize(
    ("first", "more", "begins_right"),
    [("Dear", "m ", False), ("שלום", "מ ", True), ("أهلا", "م ", True)],
)
def test_a_message_is_aligned_by_its_script(first: str, more: str, begins_right: bool) -> None:
    gift = give(recipient_name="", buyer_name="", message=f"{first}\n{more * 60}")
    with pypdfium2.PdfDocument(cards.render_card(gift, language="en")) as pdf:
        page = pdf[0]
        letters = page.get_textpage()
        x, *_ = letters.get_charbox(letters.get_text_range().index(first[0]))
        page.close()
    assert (x > A5[0] / 4) == begins_right


@pytest.mark.parametrize("message", ["Dear Ben\n\nשלום לך", "שלום לך\n2026!\nDear Ben"])
def test_each_line_of_a_message_begins_at_its_own_side(message: str) -> None:
    gift = give(recipient_name="", buyer_name="", message=message)
    with pypdfium2.PdfDocument(cards.render_card(gift, language="en")) as pdf:
        page = pdf[0]
        letters = page.get_textpage()
        shown = letters.get_text_range()
        left, _, _, top = letters.get_charbox(shown.index("D"))
        _, _, right, other_top = letters.get_charbox(shown.index("ש"))
        page.close()
    assert left < A5[0] / 8
    assert right > A5[0] * 3 / 8
    assert (top > other_top) == message.startswith("Dear")


@pytest.mark.parametrize("name", ["Юлія", "דניאל", "أحمد"])
def test_a_name_in_any_script_begins_the_sentence_about_the_gift(name: str) -> None:
    gift = give(buyer_name=name)
    with pypdfium2.PdfDocument(cards.render_card(gift, language="en")) as pdf:
        page = pdf[0]
        letters = page.get_textpage()
        shown = letters.get_text_range()
        places = {letter: letters.get_charbox(shown.rindex(letter))[0] for letter in name}
        after = letters.get_charbox(shown.index("has given you"))[0]
        page.close()
    assert all(A5[0] / 2 < place < after for place in places.values())


# Readers' texts are never markup


def test_markup_is_printed_as_it_was_typed() -> None:
    gift = give(recipient_name="#*Ben*", buyer_name="$Ada$ <i>", message=MARKUP)
    text = read_text(cards.render_card(gift, language="en"))
    assert MARKUP in text
    assert "A gift for #*Ben*" in text
    assert "$Ada$ <i> has given you" in text


def test_placeholders_in_names_stay_as_they_are() -> None:
    gift = give(recipient_name="%(name)s", buyer_name="%(months)s 100% {x}")
    text = read_text(cards.render_card(gift, language="en"))
    assert "A gift for %(name)s" in text
    assert "%(months)s 100% {x} has given you" in text


def test_all_kinds_of_line_breaks_are_kept() -> None:
    gift = give(message="one\r\ntwo\rthree\n\nfour\u2028five")
    with pypdfium2.PdfDocument(cards.render_card(gift, language="en")) as pdf:
        page = pdf[0]
        lines = [line.strip() for line in page.get_textpage().get_text_range().splitlines()]
        page.close()
    written = [line for line in lines if line in {"one", "two", "three", "four", "five"}]
    assert written == ["one", "two", "three", "four", "five"]


def test_control_characters_do_no_harm() -> None:
    gift = give(recipient_name="Be\x07n\r\nBcc: x")
    # A database refuses some of these.
    gift.message = "a\x08b\x1b[31m\ud800c \u202ed\u2066e\x00"
    text = read_text(cards.render_card(gift, language="en"))
    assert "A gift for Ben Bcc: x" in text
    assert "ab[31mc de" in text


# It always fits


@pytest.mark.thorough
@pytest.mark.parametrize("language", ["en", "uk"])
@pytest.mark.parametrize(
    "message",
    [
        ("M" * 15 + "\n") * 31,
        "M" * 500,
        "漢" * 500,
        "word " * 100,
        "a\n" * 250,
        "﷽" * 500,
    ],
)
def test_the_longest_texts_fit_on_the_page(message: str, language: str) -> None:
    name = "W" * 120
    gift = give(recipient_name=name, buyer_name=name, message=message[:500])
    card = cards.render_card(gift, language=language)
    picture = draw(card)
    assert find_claimed(scan(picture)) == gift
    text = read_text(card).replace(" ", "").replace("\u200b", "")
    assert text.count(name) == 3
    # White edges, and nothing of the left half beyond the fold.
    for edge in ((0, 0, 0.03, 1), (0.97, 0, 1, 1), (0, 0, 0.49, 0.04), (0, 0.96, 0.49, 1)):
        assert is_blank(picture, edge)
    assert is_blank(picture, (0.487, 0.05, 0.513, 0.95))


def test_a_long_message_is_complete() -> None:
    message = " ".join(f"word{number}" for number in range(60))
    assert message in read_text(cards.render_card(give(message=message), language="en"))


# A specimen


def test_a_specimen_shows_no_valid_code(gift: Gift) -> None:
    card = cards.render_card(gift, language="en", specimen=True, code=gift.code)
    text = read_text(card)
    assert "Specimen" in text
    assert "XXXXX-XXXXX-XXXXX-XXXXX" in text
    assert gift.code not in text
    assert gifts.find_gift(cards.SPECIMEN_CODE) is None
    assert scan(draw(card)) == links.build_url("claim_by_code")


def test_a_specimen_needs_no_gift_in_the_database() -> None:
    gift = Gift(months=1, recipient_name="Ben", message="Soon yours.")
    text = read_text(cards.render_card(gift, language="en", specimen=True))
    assert "You’ve been given 1 month of" in text
    assert "Soon yours." in text
    assert "claimed once" not in text


def test_a_paid_card_is_no_specimen(gift: Gift) -> None:
    assert "Specimen" not in read_text(cards.render_card(gift, language="en"))


# The files


def test_the_same_gift_gives_the_same_bytes(gift: Gift) -> None:
    assert cards.render_card(gift, language="uk") == cards.render_card(gift, language="uk")


def test_the_file_is_readable_for_screen_readers(gift: Gift) -> None:
    card = cards.render_card(gift, language="uk")
    with pypdfium2.PdfDocument(card) as pdf:
        about = pdf.get_metadata_dict()
        assert pdf.is_tagged()
    assert about["Title"].endswith("Ben")
    assert about["CreationDate"] == ""
    assert b"/Lang" in card


def test_the_card_has_the_colours_that_staff_chose(gift: Gift) -> None:
    before = draw(cards.render_card(gift, language="en"))
    Look.objects.create(ink="#7a1020")
    assert draw(cards.render_card(gift, language="en")) != before


def test_colours_that_are_too_light_for_paper_are_not_used(gift: Gift) -> None:
    """A newsroom may choose light text on a dark background, but cards are printed on white."""
    before = draw(cards.render_card(gift, language="en"))
    Look.objects.create(ink="#f4f1ea", paper="#101010", accent="#9cc4f2")
    assert draw(cards.render_card(gift, language="en")) == before
    assert find_claimed(scan(before)) == gift


def test_the_card_has_the_logo_that_staff_chose(gift: Gift) -> None:
    """In the colour of the text, and not with a shape that fills the page."""
    Look.objects.create(name="The Evening Post", ink="#7a1020", accent="#123456", logo=LOGO)
    picture = draw(cards.render_card(gift, language="en"), scale=2)
    drawn = [count for count, colour in picture.getcolors(1 << 24) or [] if colour == (0, 128, 0)]
    inked = [count for count, colour in picture.getcolors(1 << 24) or [] if colour == (122, 16, 32)]
    # 11 mm high and 44 mm wide, at 144 dots an inch: half of it green, half in the ink.
    half = round(11 / 25.4 * 144) * round(22 / 25.4 * 144)
    assert drawn == [pytest.approx(half, rel=0.05)]
    assert sum(inked) > 0.9 * half
    assert find_claimed(scan(picture)) == gift


def test_a_font_that_is_not_there_is_left_out(gift: Gift) -> None:
    before = draw(cards.render_card(gift, language="en"))
    Look.objects.create(headline_font="Nowhere Serif", text_font="Nowhere Sans")
    assert draw(cards.render_card(gift, language="en")) == before
    Look.objects.update(headline_font="DejaVu Sans")
    assert draw(cards.render_card(gift, language="en")) != before
