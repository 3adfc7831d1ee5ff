"""Readers and staff meet one word for each thing; the words we gave up stay out of our texts."""

import re

import pytest

from tests.test_translations import ROOT, used_messages

pytestmark = pytest.mark.once

# A pattern for each word or phrase that is not used, and the one that is.
INSTEAD = {
    r"drives?": "campaign",
    r"g[ia]ve(?:s|n)? back|paid back|taken back": "refund, refunded",
    r"on (?:its|their) way|waits? for (?:its|their|the) bank": "pending",
    r"standing payment": "valid payment",
    r"no longer stands?|fell": "reversed",
    r"redeem(?:s|ed|er|ers)?": "claim, claimed by",
    r"once more": "again, resend",
    r"reviv(?:e|es|ed)|br[io](?:ng|ught)s? back": "restore",
    r"came back|astray|did not arrive": "bounced",
    r"(?:waits?|needs?) (?:for )?a person": "needs attention",
    r"time without access": "past due, lapsed, grace period",
    r"kept number": "final count",
    r"anew": "recount, again",
    r"(?:is|are) owed|dut(?:y|ies)": "is due, job",
    r"foreign|none of (?:our|ours)|our business": "not ours",
    r"my page": "account page",
    r"person as well": "duplicate",
    r"whoever|somebody|whom": "a plain subject: the reader, the recipient",
}
FORBIDDEN = re.compile("|".join(rf"\b(?:{pattern})\b" for pattern in INSTEAD), re.IGNORECASE)
TAG = re.compile(r"{[%#].*?[%#]}|{{.*?}}|<[^>]*>", re.DOTALL)


def find_forbidden(texts: dict[str, str]) -> list[str]:
    """Return a line for each text with a word that is not used, and the place of the text."""
    return [
        f"{place}: {found[0]!r} in {text!r}"
        for text, place in texts.items()
        if (found := FORBIDDEN.search(text))
    ]


def test_no_message_has_a_word_that_we_gave_up() -> None:
    messages = {text: place for (_, text), place in used_messages().items()}
    assert find_forbidden(messages) == []


def test_no_page_of_the_sandbox_or_the_demo_has_one() -> None:
    pages = {
        TAG.sub(" ", path.read_text()): str(path.relative_to(ROOT))
        for path in sorted((ROOT / "newsroom").rglob("*.html"))
    }
    assert len(pages) > 10
    assert find_forbidden(pages) == []


@pytest.mark.parametrize(
    "text",
    ["The drive is over.", "Give back €60", "It was redeemed.", "Count anew", "Needs a person"],
)
def test_the_search_finds_a_word_that_we_gave_up(text: str) -> None:
    assert find_forbidden({text: "here"})
    assert not find_forbidden({"The campaign is over. Refund €60.": "here"})
