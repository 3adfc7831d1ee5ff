"""Erasure of a member's data in a browser, with a real web server, worker, beat and sandbox."""

import pytest

from tests.support.browser import Reader
from tests.support.journey import (
    check_light_and_dark,
    join,
    open_mail,
    request_sign_in_link,
    sign_in,
)
from tests.support.processes import Site, wait_until

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]
ERIN = "erin@example.org"


@pytest.mark.thorough
def test_an_erased_member_can_join_again_as_a_new_one(site: Site, reader: Reader) -> None:
    page = reader.page
    counted = reader.read_count(site.url) + 1
    join(page, site, email=ERIN)
    reader.wait_for_count(site.url, counted)
    sign_in(page, site, email=ERIN)
    page.get_by_role("link", name="Erase my data").click()
    page.get_by_text("Your subscription ends immediately").wait_for()
    check_light_and_dark(reader, "erase")
    page.get_by_role("button", name="Erase my data").click()  # the box isn't ticked
    page.get_by_text("Tick this box to confirm.").first.wait_for()
    check_light_and_dark(reader, "erase-with-error")
    page.get_by_label("I understand that this can’t be undone").check()
    page.get_by_role("button", name="Erase my data").click()
    page.get_by_role("heading", name="Your data is being erased").wait_for()
    check_light_and_dark(reader, "erase-started")
    open_mail(page, site, "is erasing your data", to=ERIN)
    reader.check_page("mail-erasure")
    wait_until(lambda: site.count("erasure", "done_at IS NOT NULL") == 1, seconds=120)
    assert site.count("member", f"email = '{ERIN}'") == 0
    of_erased = "member_id IN (SELECT member_id FROM campaigns_erasure)"
    assert site.count("membership", f"status = 'ended' AND {of_erased}") == 1
    assert ERIN not in str(site.query("SELECT payload FROM campaigns_stripeevent"))
    assert reader.read_count(site.url) == counted  # erasure changes no number
    request_sign_in_link(page, site, email=ERIN)  # the page answers like for any address
    join(page, site, email=ERIN)
    reader.wait_for_count(site.url, counted + 1)
