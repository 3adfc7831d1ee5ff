"""Texts for readers and staff use one word for each thing, and none of the avoided words."""

import re

import pytest

from tests.test_translations import ROOT, used_messages

pytestmark = pytest.mark.once

# Patterns of words to avoid, each with the words to use.
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
    """Return a line for each text that contains an avoided word, with its place."""
    return [
        f"{place}: {found[0]!r} in {text!r}"
        for text, place in texts.items()
        if (found := FORBIDDEN.search(text))
    ]


def test_no_message_contains_an_avoided_word() -> None:
    messages = {text: place for (_, text), place in used_messages().items()}
    assert find_forbidden(messages) == []


def test_no_page_of_the_sandbox_or_the_demo_contains_an_avoided_word() -> None:
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
def test_the_search_finds_an_avoided_word(text: str) -> None:
    assert find_forbidden({text: "here"})
    assert not find_forbidden({"The campaign is over. Refund €60.": "here"})
