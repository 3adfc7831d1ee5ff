"""The printable gift card: one A5 page to fold in the middle or to put into an envelope.

Typst sets the page from `card.typ`. It gets every text as data, never as markup, so a message can
contain anything. The same gift always gives the same bytes.

The bundled fonts Libertinus and DejaVu cover Latin, Greek, Cyrillic, Hebrew and Arabic. Other
characters (Chinese, Japanese, Korean, Thai, emoji) come from the fonts in FONT_DIR, or are
left out.
"""

import io
import json
import re
import unicodedata
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, override

from campaigns import fonts
from campaigns.colours import measure_contrast
from campaigns.emails import links
from campaigns.models import Checkout, Gift, Price, find_zone, read_look, read_newsroom_name
from campaigns.models.drawings import free_drawing
from campaigns.models.look import AA, LIGHT

TEMPLATE = Path(__file__).with_name("card.typ")
STATIC = Path(__file__).resolve().parent.parent / "static" / "campaigns"
SPECIMEN_CODE = "-".join(["XXXXX"] * 4)
# Longer words may be broken anywhere.
_LONGEST_WORD = 30
_SPACE = "\N{ZERO WIDTH SPACE}"
# Characters that change the writing direction of all text after them, including ours.
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def render_card(
    gift: Gift, *, language: str, code: str | None = None, specimen: bool = False
) -> bytes:
    """Return a gift's card as a PDF with one A5 page, in the given language.

    `code` replaces the gift's own claim code. A specimen is a preview before the payment: it is
    marked as one, has no valid claim code, and its gift need not be saved.
    """
    data = _describe(gift, language=language, code=code, specimen=specimen)
    return typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=load_fonts(),
        sys_inputs={"card": json.dumps(data)},
        format="pdf",
        timestamp=0,
    )


@cache
def load_fonts() -> typst.Fonts:
    """Load our fonts, then those in FONT_DIR. Cached, because it is slow."""
    return typst.Fonts(include_system_fonts=False, font_paths=fonts.list_folders())


def read_colours() -> dict[str, str]:
    """Return the newsroom's five colours for paper; ours if they can't be read on white."""
    chosen = read_look().light
    are_clear = all(measure_contrast(each, "#ffffff") >= AA for each in (chosen.ink, chosen.accent))
    return asdict(chosen if are_clear else LIGHT)


def read_fonts() -> dict[str, list[str]]:
    """Return the newsroom's own fonts, which the file uses if FONT_DIR has them."""
    look = read_look()
    chosen = {"serif": look.headline_font, "sans": look.text_font}
    return {name: [font] if font else [] for name, font in chosen.items()}


def _find_logo() -> str:
    """Return the newsroom's logo in the colour of the text, or an empty string."""
    return free_drawing(read_look().shown_logo, ink=read_colours()["ink"])


def _read_emblem() -> str:
    colours = read_colours()
    style = (
        f"<style>.campaign-candles{{fill:{colours['accent']}}}"
        f".campaign-flames{{fill:{colours['glow']}}}</style>"
    )
    emblem = (STATIC / "marks" / "emblem.svg").read_text("utf-8")
    return emblem.replace(">", f">{style}", 1)


def _find_emblem(gift: Gift) -> str:
    """Return the emblem of the gift's campaign, or ours."""
    checkout: Checkout | None = getattr(gift, "checkout", None)
    campaign = checkout.campaign if checkout else None
    return str(campaign.drawn_emblem if campaign else "") or _read_emblem()


def _describe(gift: Gift, *, language: str, code: str | None, specimen: bool) -> dict[str, Any]:
    """Return all texts and pictures that `card.typ` sets."""
    if specimen:
        code = SPECIMEN_CODE
    code = code or gift.code
    claim_by_code_url = links.build_url("claim_by_code")
    claim_url = claim_by_code_url if specimen else links.build_url("claim", code=code)
    with override(language):
        name, giver = _clean_line(gift.recipient_name), _clean_line(gift.buyer_name)
        before, recipient, after = "", gettext("A gift for you"), ""
        if name:
            before, _, after = gettext("A gift for %(name)s").partition("%(name)s")
            recipient = name
        message = _clean(gift.message)
        return {
            "language": language.partition("-")[0],
            "title": f"{before}{recipient}{after}",
            "specimen": gettext("Specimen") if specimen else "",
            "colours": read_colours(),
            "fonts": read_fonts(),
            "logo": _find_logo(),
            "emblem": _find_emblem(gift),
            "recipient": {
                "before": _text(before.strip()),
                "name": _text(recipient),
                "after": _text(after.strip()),
            },
            "giver": _text(f"— {giver}") if giver else None,
            "message": _text(message) if message else None,
            "newsroom": _text(read_newsroom_name()),
            # The sentence keeps its direction, whatever the script of the name that begins it.
            "given": _text(_write_title(gift, giver), direction_of=_write_title(gift, "")),
            "plan": _text(_write_plan(gift, language)),
            "qr": _draw_qr(claim_url),
            "claim_url": claim_url,
            "claim_text": _text(claim_url),
            "or_enter": gettext("Or enter this claim code:"),
            "code": code,
            "enter_at": _text(gettext("Enter it at %(url)s") % {"url": claim_by_code_url}),
            "terms": _text(_write_terms(gift)),
        }


def _write_title(gift: Gift, giver: str) -> str:
    months = gift.months
    values = {"name": giver, "months": months, "newsroom_name": read_newsroom_name()}
    if giver:
        title = ngettext(
            "%(name)s has given you %(months)s month of %(newsroom_name)s",
            "%(name)s has given you %(months)s months of %(newsroom_name)s",
            months,
        )
    else:
        title = ngettext(
            "You’ve been given %(months)s month of %(newsroom_name)s",
            "You’ve been given %(months)s months of %(newsroom_name)s",
            months,
        )
    # Keep the number and its noun on one line.
    return title.replace("%(months)s ", "%(months)s\N{NO-BREAK SPACE}") % values


def _write_plan(gift: Gift, language: str) -> str:
    price: Price | None = getattr(gift, "price", None)
    if price is None:
        return ""
    return ngettext(
        "%(plan)s, %(months)s month from the day you claim it",
        "%(plan)s, %(months)s months from the day you claim it",
        gift.months,
    ) % {"plan": price.plan.copy_for(language).name, "months": gift.months}


def _write_terms(gift: Gift) -> str:
    terms = [
        gettext(
            "It’s already paid for: you don’t pay anything, we don’t ask for a card, "
            "and it ends automatically."
        )
    ]
    if gift.expires_at:
        checkout: Checkout | None = getattr(gift, "checkout", None)
        zone = find_zone(checkout.campaign if checkout else None)
        date = date_format(timezone.localtime(gift.expires_at, zone), "j E Y")
        terms.append(gettext("The gift can be claimed once, until %(date)s.") % {"date": date})
    return "\n".join(terms)


def _draw_qr(address: str) -> str:
    drawing = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawing, kind="svg", border=4, dark=read_colours()["ink"], light="#fff", xmldecl=False
    )
    return drawing.getvalue().decode()


def _clean(text: str) -> str:
    """Return the text without unprintable characters and with uniform line ends."""
    lines = text.splitlines()
    return "\n".join(_clean_line(line) for line in lines).strip("\n")


def _clean_line(line: str) -> str:
    """Return one line without control characters, surrogates and characters without a font."""
    composed = unicodedata.normalize("NFC", line)
    spaced = " ".join(_DIRECTION_MARKS.sub("", composed).split())
    clean = (letter for letter in spaced if unicodedata.category(letter) not in {"Cc", "Cs"})
    return fonts.drop_missing("".join(clean))


def _text(text: str, *, direction_of: str = "") -> dict[str, Any]:
    """Return a text's lines for `card.typ`, its words (each must fit a line) and directions.

    `direction_of` is a text whose direction this one has, too.
    """
    text = fonts.drop_missing(text)
    rtl = _is_right_to_left(direction_of or text)
    rtls = [rtl if direction_of else _is_right_to_left(line, rtl) for line in text.splitlines()]
    lines = [" ".join(_add_breaks(word) for word in line.split(" ")) for line in text.splitlines()]
    words = {word for line in lines for word in line.replace(_SPACE, " ").split(" ")}
    return {"lines": lines, "rtls": rtls, "words": sorted(words), "rtl": rtl}


def _add_breaks(word: str) -> str:
    """Allow line breaks in a very long word, but not before a combining accent."""
    if len(word) <= _LONGEST_WORD or word.startswith(settings.SITE_URL):
        return word
    return re.sub(
        r"(?<=\S)(?=\S)",
        lambda here: (
            _SPACE
            if not unicodedata.category(word[here.start()]).startswith("M")
            and "\N{ZERO WIDTH JOINER}" not in word[here.start() - 1 : here.start() + 1]
            else ""
        ),
        word,
    )


def _is_right_to_left(text: str, otherwise: bool = False) -> bool:
    """Return whether the first letter with a direction is written from right to left.

    Without such a letter, return `otherwise`.
    """
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return otherwise
