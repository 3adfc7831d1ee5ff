"""Newsletters in a browser: from an article to a confirmed reader who then joins."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page

from tests.hosts.server import run_server
from tests.support.browser import Reader, open_reader, save_picture
from tests.support.journey import (
    DESKTOP,
    PHONE,
    SMALL_PHONE,
    fill_in_join,
    find_link,
    open_mail,
    send_and_pay,
    send_form,
)
from tests.support.processes import Site

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]

ADA = "ada.letters@example.org"
SCHEMES = ("light", "dark")
HAS_FOCUS = "each => each.getRootNode().activeElement === each"


def find_sign_up(page: Page | FrameLocator) -> Locator:
    return page.locator("form").filter(has_text="Get our newsletters")


def take_pictures(reader: Reader, name: str) -> None:
    for size in (DESKTOP, PHONE, SMALL_PHONE):
        for scheme in SCHEMES:
            reader.change_window(size, scheme)  # type: ignore[arg-type]  # mypy widens the tuple
            reader.check_page(f"{name}-{size['width']}-{scheme}")
    reader.change_window(DESKTOP, "light")


@pytest.mark.thorough
def test_a_reader_of_an_article_confirms_newsletters_and_joins(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.read_count(site.url)
    article = page.url
    send_with_typo(page, "ada.letters@gmial.com")
    page.get_by_text("Did you mean ada.letters@gmail.com?").wait_for()
    assert page.get_by_label("Courts and Contracts").is_checked()
    assert page.get_by_label("Your e-mail").evaluate(HAS_FOCUS)
    take_pictures(reader, "newsletters-question-in-article")
    page.get_by_label("Your e-mail").fill(ADA)
    find_sign_up(page).get_by_role("button", name="Sign up").click()
    page.get_by_text("We’ve sent you an e-mail.").wait_for()
    assert page.get_by_role("status").filter(has_text="Check your inbox").evaluate(HAS_FOCUS)
    take_pictures(reader, "newsletters-sent-in-article")
    assert page.url == article, "the reader stays there"
    open_mail(page, site, "Confirm your newsletters", to=ADA)
    reader.check_page("mail-newsletters")
    page.goto(find_link(page, "/newsletters/confirm/"))
    take_pictures(reader, "newsletters-confirm")
    send_form(page)
    page.get_by_role("heading", name="Thank you. You’re subscribed.").wait_for()
    take_pictures(reader, "newsletters-confirmed")
    page.get_by_role("link", name="Become a member").first.click()
    fill_in_join(page, email=ADA)
    send_and_pay(page)
    take_pictures(reader, "thanks-with-newsletters")
    reader.wait_for_count(site.url, before + 1)


def send_with_typo(page: Page, address: str) -> None:
    """Sign up in the article with an address whose domain is misspelt."""
    form = find_sign_up(page)
    form.get_by_label("Courts and Contracts").check()
    form.get_by_label("Your e-mail").fill(address)
    form.get_by_role("button", name="Sign up").click()


@pytest.mark.thorough
@pytest.mark.parametrize("fault", ["no script", "no answer to the script"])
def test_without_the_script_the_answer_is_on_our_page(
    site: Site, chromium: Browser, fault: str
) -> None:
    with open_reader(chromium, java_script_enabled=fault != "no script") as reader:
        page = reader.page
        page.route("**/newsletters/frame/**", lambda route: route.abort())
        page.goto(site.url)
        send_with_typo(page, "dora.letters@gmial.com")
        page.wait_for_url("**/newsletters/?from=*")
        page.get_by_text("Did you mean dora.letters@gmail.com?").first.wait_for()
        assert page.get_by_label("Courts and Contracts").is_checked()
        save_picture(page, "newsletters-question")
        page.get_by_label("Your e-mail").fill("dora.letters@example.org")
        send_form(page)
        page.get_by_role("heading", name="Check your inbox").wait_for()
        save_picture(page, "newsletters-sent")
        page.get_by_role("link", name="Back to the article").click()
        assert page.url.rstrip("/") == site.url.rstrip("/")
        reader.complaints = [each for each in reader.complaints if "frame/" not in each]


@pytest.mark.thorough
def test_newsletters_are_changed_and_stopped_by_the_link(site: Site, reader: Reader) -> None:
    page = reader.page
    page.goto(f"{site.url}/newsletters/")
    take_pictures(reader, "newsletters")
    page.get_by_label("The Morning Post").check()
    page.get_by_label("Your e-mail").fill("ben.letters@example.org")
    send_form(page)
    open_mail(page, site, "Confirm your newsletters", to="ben.letters@example.org")
    page.goto(find_link(page, "/newsletters/confirm/"))
    send_form(page)
    page.get_by_role("link", name="Change or stop newsletters").click()
    assert page.get_by_label("The Morning Post").is_checked()
    take_pictures(reader, "newsletters-preferences")
    page.get_by_role("button", name="Unsubscribe from all").click()
    page.get_by_text("Newsletters saved.").wait_for()
    assert not page.get_by_label("The Morning Post").is_checked()
    page.get_by_role("link", name="Erase my address").click()
    take_pictures(reader, "newsletters-erase")
    page.get_by_label("I understand that this can’t be undone").check()
    page.get_by_role("button", name="Erase my address").click()
    page.get_by_role("heading", name="Address erased").wait_for()
    take_pictures(reader, "newsletters-erased")


@pytest.mark.thorough
def test_a_foreign_page_signs_up_inside_a_frame(site: Site, reader: Reader) -> None:
    page = reader.page

    with run_server(partial(show_foreign_page, site.url)) as foreign:
        sign_up_in_frame(reader, f"{foreign}/bridge?utm_source=partner")
    open_mail(page, site, "Confirm your newsletters", to="cleo.letters@example.org")


def show_foreign_page(
    publisher: str, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    page = f"""<!DOCTYPE html><html lang="en"><title>The bridge</title>
        <link rel="icon" href="data:,">
        <style>iframe {{ border: 9px solid red; width: 50px }}</style><main><h1>The bridge</h1>
        <script type="module" src="{publisher}/campaign/newsletter.js"></script>
        <campaign-newsletters campaign="birthday" placement="signup">
        <a href="{publisher}/newsletters/">Newsletters</a></campaign-newsletters></main>"""
    return [page.encode()]


def sign_up_in_frame(reader: Reader, article: str) -> None:
    page = reader.page
    page.goto(article)
    frame = page.frame_locator("campaign-newsletters iframe")
    form = find_sign_up(frame)
    form.get_by_label("The Morning Post").check()
    form.get_by_label("Your e-mail").fill("cleo.letters@gmial.com")
    height = page.locator("campaign-newsletters iframe").get_attribute("height")
    assert height is not None
    assert int(height) > 300
    reader.check_page("newsletters-foreign")
    form.get_by_role("button", name="Sign up").click()
    frame.get_by_text("Did you mean cleo.letters@gmail.com?").wait_for()
    form = find_sign_up(frame)
    assert form.get_by_label("The Morning Post").is_checked()
    form.get_by_label("Your e-mail").fill("cleo.letters@example.org")
    form.get_by_role("button", name="Sign up").click()
    frame.get_by_text("Check your inbox").wait_for()
    reader.check_page("newsletters-foreign-sent")
    assert page.url == article, "the reader stays there"
