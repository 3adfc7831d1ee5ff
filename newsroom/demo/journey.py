"""A reader's whole journey over HTTP: article, form, payment, count, gift and claim."""

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin
from uuid import uuid4

import requests

GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"
COUNT = re.compile(r"([\d,]+) of 1,000 new members")
TIMEOUT = 60.0  # seconds


class Stuck(Exception):
    """The journey failed; the message says at which step."""


class Page(HTMLParser):
    """The text, links and form values of a page."""

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
    """A reader with a cookie jar. `report` is called with a line for every step."""

    def __init__(self, site: str, *, report: Callable[[str], object]) -> None:
        self.site = site
        self.report = report
        self.reader = requests.Session()
        self.reader.headers["Accept-Language"] = "en"

    def take(self) -> tuple[int, int]:
        """Join, give and claim; return the article's count before and after. Raises Stuck."""
        suffix = uuid4().hex[:8]
        before = self.read_count()
        self.report(f"article  shows {before} of 1,000 new members")
        self._join(f"reader.{suffix}@example.org")
        joined = self._wait_for_count(before + 1)
        self.report(f"article  shows {joined} of 1,000 new members")
        self._give(f"friend.{suffix}@example.org")
        after = self._wait_for_count(before + 2)
        self.report(f"article  shows {after} of 1,000 new members")
        self._claim(f"friend.{suffix}@example.org")
        return before, self.read_count()

    def read_count(self) -> int:
        """Return the number of new members that the article shows."""
        found = COUNT.search(self._get("/").text)
        if found is None:
            raise Stuck("The article shows no count.")
        return int(found[1].replace(",", ""))

    def _join(self, email: str) -> None:
        form = self._get("/campaign/birthday/join/?from=top")
        self.report("join     opened the sign-up form")
        payment = self._post(form, {"name": "Ada Reader", "email": email})
        self._pay(payment)

    def _give(self, friend: str) -> None:
        form = self._get("/campaign/birthday/gift/?from=end")
        self.report("gift     opened the gift form")
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
        self.report("pay      reached the pretend Stripe")
        refused = self._post(payment, card | {"number": DECLINED_CARD})
        if "declined" not in refused.text:
            raise Stuck("The card that should be declined was accepted.")
        self.report("pay      tried a card that is declined: nothing charged")
        thanks = self._post(refused, card | {"number": GOOD_CARD})
        self._wait(
            lambda: "Your payment is confirmed" in self._get(thanks.url).text,
            otherwise="The thank-you page did not confirm the payment.",
        )
        self.report("thanks   payment confirmed")

    def _claim(self, friend: str) -> None:
        address = self._wait(
            lambda: self._find_claim_link(friend),
            otherwise="The e-mail with the claim link did not arrive.",
        )
        self.report("mail     gift e-mail received")
        form = self._get(address)
        claimed = self._post(form, {"name": "Ben Friend", "email": friend})
        if not claimed.url.endswith("/done/"):
            raise Stuck(f"Claiming the gift led to {claimed.url}.")
        self.report("claim    gift claimed: the recipient is a member")

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
            lambda: self.read_count() >= wanted,
            otherwise=f"The article still does not show {wanted} new members.",
        )
        return self.read_count()

    def _wait(self, look: Callable[[], "bool | str"], *, otherwise: str) -> str:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            found = look()
            if found:
                return str(found)
            time.sleep(0.3)
        raise Stuck(otherwise)

    def _get(self, address: str) -> Page:
        return Page(self.reader.get(urljoin(self.site, address), timeout=30))

    def _post(self, page: Page, typed: dict[str, str]) -> Page:
        """Submit the page's form with the typed values and the first option of each choice."""
        chosen = {name: values[0] for name, values in page.choices.items()}
        answer = self.reader.post(page.url, data=page.fields | chosen | typed, timeout=30)
        if answer.status_code >= 400 and "/c/pay/" not in answer.url:
            raise Stuck(f"{page.url} returned status {answer.status_code}.")
        return Page(answer)
