"""Recipes of docs/recipes, written for servers on this machine."""

from pathlib import Path

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
GREETING = RECIPES / "ghost-membership.html"
# Parts of a page that the recipe shows and hides.
GREETINGS = (
    '<p data-membership="member" hidden>Thank you for being a member.</p>'
    '<p data-membership="guest">'
    '<a href="https://members.example.org/membership/account/" data-membership-link>'
    "I’m a member</a></p>"
)


def write_greeting(members_url: str) -> str:
    """Return the footer code that greets members, who sign in at `members_url`."""
    text = GREETING.read_text("utf-8")
    before = 'const MEMBERS = "https://members.example.org";'
    assert before in text
    return text.replace(before, f'const MEMBERS = "{members_url}";')
