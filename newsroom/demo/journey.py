"""The whole journey as a reader takes it, over HTTP alone: article, form, payment, count, claim."""

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin
from uuid import uuid4

import requests

GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"
COUNT = re.compile(r"([\d,]+) of 1,000 new members")
PATIENCE = 60.0  # seconds


class Stuck(Exception):
    """The journey does not go on; the message says where."""


class Page(HTMLParser):
    """What the journey needs of a page: its text, its links, and the values in its forms."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__()
        self.url = response.url
        self.status = response.status_code
        self.fields: dict[str, str] = {}
        self.choices: dict[str, list[str]] = {}
        self.links: list[str] = []
        self._words: list[str] = []
        self.feed(response.text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in found:
            self.links.append(urljoin(self.url, found["href"]))
        if tag == "input" and found.get("type") == "radio":
            self.choices.setdefault(found["name"], []).append(found["value"])
        elif tag == "input" and found.get("type") == "hidden":
            self.fields[found["name"]] = found.get("value", "")

    def handle_data(self, data: str) -> None:
        self._words.append(data)


class Journey:
    """One reader with a cookie jar. `tell` hears of every step."""

    def __init__(self, site: str, *, tell: Callable[[str], object]) -> None:
        self.site = site
        self.tell = tell
        self.reader = requests.Session()
        self.reader.headers["Accept-Language"] = "en"

    def take(self) -> tuple[int, int]:
        """Join, give and claim; the count in the article before and after. Raises Stuck."""
        stranger = uuid4().hex[:8]
        before = self.count()
        self.tell(f"article  shows {before} of 1,000 new members")
        self._join(f"reader.{stranger}@example.org")
        joined = self._wait_for_count(before + 1)
        self.tell(f"article  shows {joined} of 1,000 new members")
        self._give(f"friend.{stranger}@example.org")
        after = self._wait_for_count(before + 2)
        self.tell(f"article  shows {after} of 1,000 new members")
        self._claim(f"friend.{stranger}@example.org")
        return before, self.count()

    def count(self) -> int:
        """The number that the article shows."""
        found = COUNT.search(self._get("/").text)
        if found is None:
            raise Stuck("The article shows no count.")
        return int(found[1].replace(",", ""))

    def _join(self, email: str) -> None:
        form = self._get("/campaign/birthday/join/?from=top")
        self.tell("join     form is open")
        payment = self._post(form, {"name": "Ada Reader", "email": email})
        self._pay(payment)

    def _give(self, friend: str) -> None:
        form = self._get("/campaign/birthday/gift/?from=end")
        self.tell("gift     form is open")
        typed = {
            "name": "Ada Reader",
            "email": "ada.reader@example.org",
            "recipient_name": "Ben Friend",
            "recipient_email": friend,
            "message": "Happy birthday!",
        }
        self._pay(self._post(form, typed))

    def _pay(self, payment: Page) -> None:
        card = {"method": "card", "expiry": "04 / 31", "cvc": "123", "name": "Ada Reader"}
        if "/c/pay/" not in payment.url:
            raise Stuck(f"The form led to {payment.url} instead of the payment page.")
        self.tell("pay      at the pretend Stripe")
        refused = self._post(payment, card | {"number": DECLINED_CARD})
        if "declined" not in refused.text:
            raise Stuck("A card that is always declined was not.")
        self.tell("pay      a declined card is refused, nothing was paid")
        thanks = self._post(refused, card | {"number": GOOD_CARD})
        self._wait(
            lambda: "Your payment is confirmed" in self._get(thanks.url).text,
            otherwise="The thank-you page never said that the payment is confirmed.",
        )
        self.tell("thanks   the payment is confirmed")

    def _claim(self, friend: str) -> None:
        address = self._wait(
            lambda: self._find_claim_link(friend),
            otherwise="No mail with a claim link came.",
        )
        self.tell("mail     the gift has arrived")
        form = self._get(address)
        claimed = self._post(form, {"name": "Ben Friend", "email": friend})
        if not claimed.url.endswith("/done/"):
            raise Stuck(f"The claim led to {claimed.url}.")
        self.tell("claim    the gift is a membership now")

    def _find_claim_link(self, friend: str) -> str:
        box = self._get("/mails/")
        mails = [link for link in box.links if re.search(r"/mails/[\w-]+/$", link)]
        for mail in mails[:10]:
            if friend in self._get(mail).text:
                for link in self._get(f"{mail}body/").links:
                    if "/claim/" in link:
                        return link
        return ""

    def _wait_for_count(self, wanted: int) -> int:
        self._wait(
            lambda: self.count() >= wanted,
            otherwise=f"The article does not come to show {wanted}.",
        )
        return self.count()

    def _wait(self, look: Callable[[], "bool | str"], *, otherwise: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = look()
            if found:
                return str(found)
            time.sleep(0.3)
        raise Stuck(otherwise)

    def _get(self, address: str) -> Page:
        return Page(self.reader.get(urljoin(self.site, address), timeout=30))

    def _post(self, page: Page, typed: dict[str, str]) -> Page:
        """Send the page's form with what was typed, the first of each choice taken."""
        chosen = {name: values[0] for name, values in page.choices.items()}
        answer = self.reader.post(page.url, data=page.fields | chosen | typed, timeout=30)
        if answer.status_code >= 400 and "/c/pay/" not in answer.url:
            raise Stuck(f"{page.url} was answered with {answer.status_code}.")
        return Page(answer)
