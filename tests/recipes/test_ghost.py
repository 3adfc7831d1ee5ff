"""The recipe that greets members on a Ghost site, on a page of another site.

`tests/hosts/test_real_sites.py` shows that a real Ghost takes it as its footer code.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns import members
from tests.hosts.server import run_server
from tests.support.browser import open_reader, run_chromium
from tests.support.factories import make_member
from tests.support.recipes import GREETINGS, write_greeting
from tests.support.sales import make_subscription

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.once,
    pytest.mark.xdist_group("ghost_recipe"),  # browsers know the real time only
]


def show_page(
    members_url: str, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    page = (
        '<!DOCTYPE html><html lang="en"><title>The bridge</title><link rel="icon" href="data:,">'
        f"<main><h1>The bridge</h1>{GREETINGS}</main>{write_greeting(members_url)}"
    )
    return [page.encode()]


@pytest.fixture
def site(live_server: Any, settings: LazySettings) -> Iterator[str]:
    settings.SITE_URL = live_server.url
    with run_server(partial(show_page, live_server.url)) as site:
        settings.ACCESS_RETURN_URLS = [f"{site}/"]
        yield site


def is_greeted(page: Page) -> bool:
    """Return whether the page greets a member, and does so instead of inviting them."""
    page.locator("[data-membership-link][href*=continue]").wait_for(state="attached")
    is_greeted = page.get_by_text("Thank you for being a member.").is_visible()
    assert page.get_by_role("link", name="I’m a member").is_visible() != is_greeted
    return is_greeted


def test_members_are_greeted_and_others_invited(site: str) -> None:
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    make_subscription(member=ada)
    story, now = f"{site}/story?page=2", timezone.now()
    of_ada, of_ben = (members.add_token(story, each, at=now) for each in (ada, ben))
    with run_chromium() as chromium, open_reader(chromium) as reader:
        page = reader.page
        page.goto(story)
        assert not is_greeted(page)
        page.goto(of_ada)
        assert is_greeted(page)
        expect(page).to_have_url(story)
        page.goto(site)
        assert is_greeted(page), "the browser keeps the token"
        page.goto(of_ben)
        assert not is_greeted(page)


def test_a_wrong_token_greets_nobody(site: str) -> None:
    ada = make_member("ada@example.org")
    make_subscription(member=ada)
    now = timezone.now()

    def read(url: str) -> str:
        return url.partition("membership_token=")[2]

    right = read(members.add_token(f"{site}/", ada, at=now))
    header, claims, signature = right.split(".")
    wrong = {
        "for another site": read(members.add_token("https://blog.example.org/", ada, at=now)),
        "expired": read(members.add_token(f"{site}/", ada, at=now - timedelta(days=8))),
        "changed": f"{header}.{claims[:-2]}AA.{signature}",
        "no token": "a.b",
        "empty": "",
    }
    with run_chromium() as chromium, open_reader(chromium) as reader:
        page = reader.page
        page.goto(f"{site}/?{urlencode({'membership_token': right})}")
        assert is_greeted(page)
        for name, token in wrong.items():
            page.goto(f"{site}/?{urlencode({'membership_token': token})}")
            assert not is_greeted(page), name


def test_the_link_leads_to_the_account_page_and_back(site: str, live_server: Any) -> None:
    with run_chromium() as chromium, open_reader(chromium) as reader:
        reader.page.goto(f"{site}/story")
        assert not is_greeted(reader.page)
        reader.page.get_by_role("link", name="I’m a member").click()
        reader.page.wait_for_url(f"{live_server.url}/membership/account/")
        reader.page.get_by_text("continue to 127.0.0.1").first.wait_for()
