"""Names and addresses as people type them have one form."""

import pytest

from campaigns.people import (
    canonical_email,
    clean_name,
    clean_text,
    isolate_direction,
    spellings_of,
)

pytestmark = pytest.mark.once

MUNICH = "ada@xn--mnchen-3ya.example"


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        (" Ada@EXAMPLE.org\n", "ada@example.org"),
        ("a\u200bda@example.org\u200b", "ada@example.org"),
        ("\ufeffada@exam\u00adple.org", "ada@example.org"),
        ("\u202aada\u2060@example.org\u202c", "ada@example.org"),
        ("a\u200dda@exa\u200cmple.org", "ada@example.org"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ada@example.org"),
        ("ada@example。org", "ada@example.org"),
        ("\u3000ada@example.org\u00a0", "ada@example.org"),
        ("ada@münchen.example", MUNICH),
        ("Ada@MU\u0308NCHEN.example", MUNICH),
        ("ada@XN--MNCHEN-3YA.example", MUNICH),
        ("ada@mün\u00adchen\u200d.example", MUNICH),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@strasse.example", "ada@strasse.example"),
        ("ada@نامه\u200cای.example", "ada@xn--mgba3gch31f060k.example"),
        ("straße@example.org", "straße@example.org"),
        ("ada@i❤.example", "ada@i❤.example"),
        ("ada@[127.0.0.1]", "ada@[127.0.0.1]"),
        ("ada", "ada"),
        ("", ""),
        ("@", "@"),
        ("ada@" + "ü" * 300, "ada@" + "ü" * 300),
        ("ada@ü..example", "ada@ü..example"),
    ],
)
def test_an_address_has_one_form_however_it_is_typed(typed: str, canonical: str) -> None:
    assert canonical_email(typed) == canonical
    assert canonical_email(canonical) == canonical


def test_an_international_address_has_the_spelling_of_earlier_versions_too() -> None:
    assert spellings_of("ada@MÜNCHEN.example") == {MUNICH, "ada@münchen.example"}
    assert spellings_of("ada@example.org") == {"ada@example.org"}
    assert spellings_of("ada@xn--\u20ac.example") == {"ada@xn--€.example"}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ada \u202eredaeR", "Ada redaeR"),
        ("\u2066Ada\u2069 Reader", "Ada Reader"),
        ("Ada\u2028Reader", "Ada Reader"),
        ("Ada\u2029Reader", "Ada Reader"),
        ("\u200bA\u200cd\u200da\ufeff", "Ada"),
        ("Ada\u00a0Reader\u3000", "Ada Reader"),
        ("A\u0308da", "Äda"),
        ("Ada\ufe0f", "Ada"),
        ("\u3164", ""),
        ("\u200b＝1+1", "＝1+1"),
    ],
)
def test_a_name_loses_what_hides_or_reorders_its_letters(typed: str, name: str) -> None:
    assert clean_name(typed) == name


@pytest.mark.parametrize(
    "name",
    [
        "علی\u200cرضا",  # Persian: two joined parts
        "ര\u0d3fമ\u0d4bഹന\u0d4d\u200d",  # Malayalam: a final consonant
        "র\u200d\u09cdয\u09beব",  # Bengali: a letter before its sign
        "ක\u0dca\u200dෂ",  # Sinhala: a joined form
        "葛\U000e0100城",  # Japanese: the form of a family's name
        "O’Neil-Ada + Ben",
        "Ada  Reader",
    ],
)
def test_a_name_keeps_what_its_script_needs(name: str) -> None:
    assert clean_name(name) == name


def test_a_text_keeps_emoji_and_lines() -> None:
    text = "Read\u2028every \u202eday\u202c!\n👩\u200d👧 ❤\ufe0f"
    assert clean_text(text) == "Read\nevery day!\n👩\u200d👧 ❤\ufe0f"


# Directions


@pytest.mark.parametrize(
    ("text", "rtl", "is_marked"),
    [
        ("Ada Reader", False, False),
        ("Ада", False, False),
        ("你好", False, False),
        ("2026!", False, False),
        ("2026!", True, False),
        ("", False, False),
        ("أحمد", False, True),
        ("דניאל", False, True),
        ("Ada أحمد", False, True),
        ("أحمد", True, False),
        ("Ada", True, True),
        ("أحمد Ada", True, True),
    ],
)
def test_a_text_of_the_other_direction_is_isolated(text: str, rtl: bool, is_marked: bool) -> None:
    assert isolate_direction(text, rtl=rtl) == (f"\u2068{text}\u2069" if is_marked else text)
