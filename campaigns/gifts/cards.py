"""The printable gift card: one page of A5, folded in the middle or put into an envelope.

The page is set by typst from `card.typ`. Every text reaches it as data, never as markup, so that
a message holds whatever its writer typed. The same gift gives the same bytes.

Letters are those of Libertinus and DejaVu, which come along: Latin, Greek, Cyrillic, Hebrew,
Arabic and many more. What they lack is taken from the machine's own fonts (Chinese, Japanese,
Korean, emoji); where those lack it too, a box stands for the letter.
"""

import io
import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, override

from campaigns.emails import links
from campaigns.models import Checkout, Gift, Price

TEMPLATE = Path(__file__).with_name("card.typ")
STATIC = Path(__file__).resolve().parent.parent / "static" / "campaigns"
SPECIMEN_CODE = "-".join(["XXXXX"] * 4)
# The tokens' own defaults, for a newsroom that wrote its colours in another way than #rrggbb.
COLOURS = {
    "ink": "#1b1a17",
    "paper": "#fbfaf7",
    "line": "#d3cec2",
    "accent": "#1d4e89",
    "glow": "#f2b632",
}
# A word that is longer may be broken anywhere.
_LONGEST_WORD = 30
_SPACE = "\N{ZERO WIDTH SPACE}"
# What turns the direction of all that stands after it, of our own text too.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def render_card(
    gift: Gift, *, language: str, code: str | None = None, specimen: bool = False
) -> bytes:
    """The card of a gift as a PDF of one page of A5, in that language.

    The code is the gift's own unless one is given. A specimen is a card before the payment: it
    says that it is one, holds no code that anybody could claim, and its gift need not be saved.
    """
    data = _describe(gift, language=language, code=code, specimen=specimen)
    return typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=_fonts(),
        sys_inputs={"card": json.dumps(data)},
        format="pdf",
        timestamp=0,
    )


def render_card_picture(
    gift: Gift,
    *,
    language: str,
    code: str | None = None,
    specimen: bool = False,
    dots_per_inch: int = 144,
) -> bytes:
    """The same card as a PNG, to be shown in a page."""
    data = _describe(gift, language=language, code=code, specimen=specimen)
    return typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=_fonts(),
        sys_inputs={"card": json.dumps(data)},
        format="png",
        ppi=dots_per_inch,
    )


@cache
def _fonts() -> typst.Fonts:
    """Ours first, the machine's for what they lack; found once, since that takes a while."""
    return typst.Fonts(font_paths=[STATIC / "fonts"])


@cache
def read_colours() -> dict[str, str]:
    """The five colours of `tokens.css`, as they are on white paper."""
    daylight = (STATIC / "tokens.css").read_text("utf-8").partition("}")[0]
    written = re.findall(r"--campaign-(\w+):\s*(#[0-9a-f]{6})\b", daylight, re.IGNORECASE)
    return COLOURS | {name: colour for name, colour in written if name in COLOURS}


@cache
def _read_emblem() -> str:
    colours = read_colours()
    style = (
        f"<style>.campaign-candles{{fill:{colours['accent']}}}"
        f".campaign-flames{{fill:{colours['glow']}}}</style>"
    )
    emblem = (STATIC / "marks" / "emblem.svg").read_text("utf-8")
    return emblem.replace(">", f">{style}", 1)


def _describe(gift: Gift, *, language: str, code: str | None, specimen: bool) -> dict[str, Any]:
    """Everything that `card.typ` sets."""
    if specimen:
        code = SPECIMEN_CODE
    code = code or gift.code
    claim_by_code_url = links.absolute("claim_by_code")
    claim_url = claim_by_code_url if specimen else links.absolute("claim", code=code)
    with override(language):
        name, giver = _clean_line(gift.recipient_name), _clean_line(gift.buyer_name)
        before, whom, after = "", gettext("A gift for you"), ""
        if name:
            before, _, after = gettext("A gift for %(name)s").partition("%(name)s")
            whom = name
        message = _clean(gift.message)
        return {
            "language": language.partition("-")[0],
            "title": f"{before}{whom}{after}",
            "specimen": gettext("Specimen") if specimen else "",
            "colours": read_colours(),
            "emblem": _read_emblem(),
            "recipient": {
                "before": _text(before.strip()),
                "name": _text(whom),
                "after": _text(after.strip()),
            },
            "giver": _text(f"— {giver}") if giver else None,
            "message": _text(message) if message else None,
            "newsroom": _text(settings.NEWSROOM_NAME),
            "given": _text(_tell_given(gift, giver)),
            "plan": _text(_tell_plan(gift, language)),
            "qr": _draw_qr(claim_url),
            "claim_url": claim_url,
            "claim_text": _text(claim_url),
            "or_type": gettext("Or type this code:"),
            "code": code,
            "typed_here": _text(f"{gettext('The code is typed here:')} {claim_by_code_url}"),
            "terms": _text(_tell_terms(gift)),
        }


def _tell_given(gift: Gift, giver: str) -> str:
    months = gift.months
    values = {"name": giver, "months": months, "newsroom_name": settings.NEWSROOM_NAME}
    if giver:
        given = ngettext(
            "%(name)s gives you %(months)s month of %(newsroom_name)s",
            "%(name)s gives you %(months)s months of %(newsroom_name)s",
            months,
        )
    else:
        given = ngettext(
            "You are given %(months)s month of %(newsroom_name)s",
            "You are given %(months)s months of %(newsroom_name)s",
            months,
        )
    # No line ends between the number and its noun.
    return given.replace("%(months)s ", "%(months)s\N{NO-BREAK SPACE}") % values


def _tell_plan(gift: Gift, language: str) -> str:
    price: Price | None = getattr(gift, "price", None)
    if price is None:
        return ""
    return ngettext(
        "%(plan)s, %(months)s month from the day of the claim",
        "%(plan)s, %(months)s months from the day of the claim",
        gift.months,
    ) % {"plan": price.plan.copy_for(language).name, "months": gift.months}


def _tell_terms(gift: Gift) -> str:
    terms = [gettext("It is paid for: you pay nothing, we ask for no card, and it ends by itself.")]
    if gift.expires_at:
        checkout: Checkout | None = getattr(gift, "checkout", None)
        campaign = checkout.campaign if checkout else None
        zone = campaign.zone_info if campaign else timezone.get_default_timezone()
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
    """The text without what is no letter to print; its lines end in one way."""
    lines = unicodedata.normalize("NFC", text).splitlines()
    return "\n".join(_clean_line(line) for line in lines).strip("\n")


def _clean_line(line: str) -> str:
    """One line, whatever it is made of: lone surrogates and control characters are dropped."""
    spaced = " ".join(_TURNS.sub("", line).split())
    return "".join(letter for letter in spaced if unicodedata.category(letter) not in {"Cc", "Cs"})


def _text(text: str) -> dict[str, Any]:
    """Lines for `card.typ`, the words that have to fit in one, and the direction."""
    lines = [" ".join(_breakable(word) for word in line.split(" ")) for line in text.splitlines()]
    words = {word for line in lines for word in line.replace(_SPACE, " ").split(" ")}
    return {"lines": lines, "words": sorted(words), "rtl": _is_right_to_left(text)}


def _breakable(word: str) -> str:
    """A very long word may be broken between letters, though not before an accent of its own."""
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


def _is_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction runs from right to left."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False
