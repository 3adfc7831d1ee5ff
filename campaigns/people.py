"""Names, addresses and texts as people type or paste them, cleaned and shown. Pure functions."""

import re
import unicodedata

import idna

# Unicode's Default_Ignorable_Code_Point, and the annotation marks: characters that show nothing.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
_JOINERS = "\u200c\u200d"
_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_OTHERS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff"
)
# Arabic, Indic and other scripts in which a joiner after a letter changes how it looks.
_JOINING = "\u0600-\u109f\u1780-\u1cff\ua800-\uabff\U00010a00-\U00011fff"
# Ideographs and Mongolian letters, of which a selector chooses the form that a family uses.
_SELECTED = "\u1820-\u18aa\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

_ALWAYS_INVISIBLE = re.compile(f"[{_SELECTORS}{_OTHERS}]")
_INVISIBLE = re.compile(f"[{_JOINERS}{_SELECTORS}{_OTHERS}]")
_INVISIBLE_IN_NAMES = re.compile(
    f"[{_OTHERS}]|(?<![{_JOINING}])[{_JOINERS}]|(?<![{_SELECTED}])[{_SELECTORS}]"
)
# Emoji, and texts in two directions, need joiners, selectors and the marks of a direction.
_INVISIBLE_IN_TEXTS = re.compile("[\u00ad\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb]")
_SEPARATORS = re.compile("[\u2028\u2029]")
_LONGEST_DOMAIN = 253


def clean_name(text: str) -> str:
    """Return a name without invisible characters, except those that its script needs.

    Line separators and spaces of other widths become ordinary spaces.
    """
    visible = _INVISIBLE_IN_NAMES.sub("", unicodedata.normalize("NFC", text))
    return "".join(
        " " if unicodedata.category(letter) in {"Zs", "Zl", "Zp"} else letter for letter in visible
    ).strip()


def clean_text(text: str) -> str:
    """Return a text of several lines without characters that hide or reorder its letters."""
    visible = _INVISIBLE_IN_TEXTS.sub("", unicodedata.normalize("NFC", text))
    return _SEPARATORS.sub("\n", visible)


def runs_against(text: str, *, rtl: bool) -> bool:
    """Return whether the text has letters of the other direction than the page or sentence."""
    against = {"L"} if rtl else {"R", "AL"}
    return any(unicodedata.bidirectional(letter) in against for letter in text)


def isolate_direction(text: str, *, rtl: bool) -> str:
    """Return a text for a sentence, marked so that neither reorders the other.

    Only a text with letters of the other direction gets the marks (FIRST STRONG ISOLATE).
    https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
    """
    return f"\u2068{text}\u2069" if runs_against(text, rtl=rtl) else text


def canonical_email(address: str) -> str:
    """Return the one form of an address that is stored, compared and given to Stripe.

    It is in lower case and without invisible characters. Full-width letters become ordinary ones,
    and the domain becomes ASCII (IDNA, UTS 46): "straße.de" and "strasse.de" stay two domains.
    The result of a text that isn't an address is none either, so validate it afterwards.
    """
    name, at, domain = unicodedata.normalize("NFKC", address).rpartition("@")
    return _INVISIBLE.sub("", name).strip().lower() + at + _encode_domain(domain)


def spellings_of(address: str) -> set[str]:
    """Return the canonical address, and its spelling with a domain in Unicode, if it has one.

    Earlier versions stored and hashed the second.
    """
    canonical = canonical_email(address)
    name, at, domain = canonical.rpartition("@")
    if "xn--" not in domain:
        return {canonical}
    try:
        return {canonical, name + at + idna.decode(domain)}
    except UnicodeError:
        return {canonical}


def _encode_domain(domain: str) -> str:
    domain = _ALWAYS_INVISIBLE.sub("", domain).strip().lower()
    bare = _INVISIBLE.sub("", domain)
    if domain.isascii() or len(domain) > _LONGEST_DOMAIN:
        return bare
    for spelling in (domain, bare):  # a joiner is part of some Persian and Indic domains
        try:
            return idna.encode(spelling, uts46=True).decode()
        except UnicodeError:
            continue
    return bare
