"""Texts for readers and staff use one word for each thing, and none of the avoided words."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_translations import ROOT, used_messages

pytestmark = pytest.mark.once

# Patterns of words to avoid, each with the words to use.
INSTEAD = {
    r"drives?": "campaign",
    r"g[ia]ve(?:s|n)? (?:the money )?back|paid back|taken back": "refund, refunded",
    r"took the money back": "withdrew the money",
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
    r"told": "notified, e-mailed, according to",
    r"(?:run|renew|end|tr(?:y|ie)|update)s? .{0,9}by (?:itself|themselves)": "automatically",
    r"already\.": "already before the verb: has already ended",
    r"go(?:es)? on to|to go on\.": "continue",
    r"one a line|all the same": "one per line, still",
    r"slugs?(?! of the same newsletter in your Ghost)": "short name; Ghost calls its own a slug",
    r"(?-i:(?<![({])ids?)": "ID",
}
FORBIDDEN = re.compile("|".join(rf"\b(?:{pattern})(?!\w)" for pattern in INSTEAD), re.IGNORECASE)
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
    [
        *("The drive is over.", "Give back €60", "It was redeemed.", "Count anew"),
        *("Needs a person", "It has ended already.", "It runs by itself."),
    ],
)
def test_the_search_finds_an_avoided_word(text: str) -> None:
    assert find_forbidden({text: "here"})
    assert not find_forbidden({"The campaign is over. Refund €60.": "here"})


def find_clauses(source: str) -> Iterator[str]:
    """Yield the docstrings of a module that begin with a clause where a noun or a verb belongs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            if re.match(r"(?:What|Who|Whoever|Where|When|How|Whether|That|Of)\b", text):
                yield text.partition("\n")[0]


def test_docstrings_begin_with_a_noun_or_a_verb() -> None:
    sources = [path for name in ("campaigns", "newsroom") for path in (ROOT / name).rglob("*.py")]
    assert len(sources) > 300
    found = {str(path): list(find_clauses(path.read_text())) for path in sources}
    assert {path: texts for path, texts in found.items() if texts} == {}
    assert list(find_clauses('"""What became of a payment."""')) == ["What became of a payment."]
