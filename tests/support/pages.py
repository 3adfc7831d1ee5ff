"""Reading and sending pages as a browser without JavaScript does."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, Protocol

from django.test import Client

from campaigns import stripe_api
from campaigns.forms.lists import COLUMNS
from campaigns.models import Checkout, Price

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)  # the sandbox's time
JOIN, GIFT = "/campaign/birthday/join/", "/campaign/birthday/gift/"
UNREACHABLE = "http://127.0.0.1:9"  # no server listens on this port
MARKUP = "Happy birthday!\n<b>Read</b> & be <script>well</script>"


class Answer(Protocol):
    """A response of the test client."""

    @property
    def content(self) -> bytes: ...


class Form(HTMLParser):
    """The last form in a page's main part: its action and the fields it sends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._textarea = ""
        self.feed(page[page.index("<main") :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value")
        if tag == "form":
            self.action, self.fields = given.get("action") or "", {}
        elif tag == "textarea":
            self._textarea, self.fields[name] = name, ""
        elif tag == "input" and given.get("type") not in {"radio", "checkbox"}:
            self.fields[name] = value or ""
        elif tag == "input" and "checked" in given:
            self.fields[name] = "on" if value is None else value
        self.fields.pop("", None)

    def handle_data(self, data: str) -> None:
        if self._textarea:  # a browser drops the first line break of a textarea
            self.fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.fields[self._textarea] = self.fields[self._textarea].removeprefix("\n")
            self._textarea = ""


def read_form(response: Answer) -> Form:
    return Form(response.content.decode())


def main_of(response: Answer) -> str:
    """Return the page's main part in one line."""
    page = response.content.decode()
    return " ".join(page[page.index("<main") : page.index("</main>")].split())


def tag_of(response: Answer, field_id: str) -> str:
    found = re.search(rf'<[^>]*\bid="{field_id}"[^>]*>', response.content.decode())
    assert found, f"no {field_id} in the page"
    return found[0]


def error_beside(response: Answer, field: str) -> str:
    """Return the error beside a field; check its aria attributes and the link in the summary."""
    control = tag_of(response, f"id_{field}")
    assert 'aria-invalid="true"' in control
    assert f"id_{field}_error" in control
    assert f'href="#id_{field}"' in main_of(response)
    found = re.search(rf'id="id_{field}_error"><li>([^<]*)<', response.content.decode())
    assert found
    return found[1]


def join_fields(client: Client, **typed: str) -> dict[str, str]:
    """Return the fields of the join form, filled in for €60 a year."""
    price = Price.objects.get(kind="year")
    values = {"price": str(price.pk), "name": "Ada Reader", "email": "ada@example.org"}
    return read_form(client.get(f"{JOIN}?from=end")).fields | values | typed


def gift_fields(client: Client, **typed: str) -> dict[str, str]:
    """Return the fields of the gift form, filled in."""
    values = {
        "name": "Ada Reader",
        "email": "ada@example.org",
        "recipient_name": "Ben Friend",
        "recipient_email": "ben@example.org",
        "message": MARKUP,
    }
    return read_form(client.get(GIFT)).fields | values | typed


def sessions() -> list[dict[str, Any]]:
    """Return all sessions at the sandbox."""
    page = stripe_api.client().v1.checkout.sessions.list({"limit": 100})
    return [session.to_dict() for session in page.auto_paging_iter()]


def start_order(client: Client, url: str, fields: Mapping[str, Any]) -> Checkout:
    """Send a form and return its checkout, after the redirect to Stripe's page."""
    response = client.post(url, fields)
    assert response.status_code == 303, main_of(response)
    return Checkout.objects.get(session_url=response["Location"])


GIFTS = "/campaign/birthday/gifts/"


BEN = ("Ben", "ben@example.org", "Read!")


CLEO = ("Клео", "", "")


def gift_list_fields(client: Client, *rows: tuple[str, str, str], **typed: str) -> dict[str, str]:
    """Return the fields of the form for many gifts, with these rows filled in."""
    fields = read_form(client.get(GIFTS)).fields
    fields |= {"name": "Ada Reader", "email": "ada@example.org"}
    for at, row in enumerate(rows):
        fields |= dict(zip((f"rows-{at}-{name}" for name in COLUMNS), row, strict=True))
    fields["rows-TOTAL_FORMS"] = str(max(len(rows), int(fields["rows-TOTAL_FORMS"])))
    return fields | typed
